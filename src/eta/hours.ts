/** The city's hour and kind of day, from a configured offset: no time zone database where orders are handled. */

export interface CityCalendar {
  /** The market's time minus UTC. */
  readonly utcOffsetMinutes: number;
  /** How long a minute of the city's lasts, in milliseconds: 60,000 in life, less when the day is made shorter. */
  readonly minuteMs: number;
}

export interface CityHour {
  /** 0 to 23. */
  readonly hour: number;
  readonly weekend: boolean;
}

const HOURS_A_DAY = 24;
/** The first of January 1970 was a Thursday; Saturday is day 6 of a week that begins with Sunday. */
const THURSDAY = 4;

export function cityHour(now: number, calendar: CityCalendar): CityHour {
  const minutes = Math.floor(now / calendar.minuteMs) + calendar.utcOffsetMinutes;
  const hours = Math.floor(minutes / 60);
  const day = (((Math.floor(hours / HOURS_A_DAY) + THURSDAY) % 7) + 7) % 7;
  return { hour: ((hours % HOURS_A_DAY) + HOURS_A_DAY) % HOURS_A_DAY, weekend: day === 0 || day === 6 };
}

/** The names of the hour's effects. */
export function hourNames({ hour, weekend }: CityHour): readonly string[] {
  return weekend ? [`h${hour}`, "weekend"] : [`h${hour}`];
}
