/**
 * Sounds that call a person, made on the device. A browser lets a page sound only after it was touched; until then the
 * page says so and shows.
 */
import { signal } from "@preact/signals";

let context: AudioContext | null = null;
/** False until somebody has touched the page, and while the device keeps it silent: a telephone call stops it, too. */
export const soundReady = signal(false);

/** Call from a touch. */
export async function allowSound(): Promise<void> {
  context ??= openContext();
  if (context.state !== "running") await context.resume();
}

function openContext(): AudioContext {
  const made = new AudioContext();
  const read = (): void => {
    soundReady.value = made.state === "running";
  };
  made.addEventListener("statechange", read);
  read();
  return made;
}

/**
 * Any touch of the page will do, whenever it is silent. A finger counts for the browser when it is lifted, a mouse when it
 * is pressed, and Escape not at all.
 */
export function allowSoundOnTouch(): void {
  const touched = (): void => {
    if (soundReady.peek() || navigator.userActivation?.hasBeenActive === false) return;
    void allowSound().catch(() => undefined);
  };
  for (const name of ["pointerdown", "pointerup", "keydown"]) addEventListener(name, touched);
}

interface Tone {
  readonly hertz: number;
  readonly fromSeconds: number;
  readonly seconds: number;
}

const CALLS = {
  /** A new order: a kitchen's bell, twice. */
  order: [
    { hertz: 880, fromSeconds: 0, seconds: 0.5 },
    { hertz: 1174.7, fromSeconds: 0.16, seconds: 0.7 },
    { hertz: 880, fromSeconds: 0.75, seconds: 0.5 },
    { hertz: 1174.7, fromSeconds: 0.91, seconds: 0.9 },
  ],
  offer: [
    { hertz: 659.3, fromSeconds: 0, seconds: 0.25 },
    { hertz: 987.8, fromSeconds: 0.18, seconds: 0.45 },
  ],
  message: [
    { hertz: 784, fromSeconds: 0, seconds: 0.18 },
    { hertz: 1046.5, fromSeconds: 0.12, seconds: 0.3 },
  ],
  lost: [
    { hertz: 392, fromSeconds: 0, seconds: 0.4 },
    { hertz: 294, fromSeconds: 0.3, seconds: 0.6 },
  ],
} as const satisfies Readonly<Record<string, readonly Tone[]>>;

/** Returns false when the page may not sound yet. */
export function call(name: keyof typeof CALLS, loudness = 0.5): boolean {
  if (context === null) return false;
  if (context.state !== "running") {
    // What silenced it may be over.
    void context.resume().catch(() => undefined);
    return false;
  }
  const start = context.currentTime + 0.02;
  for (const { hertz, fromSeconds, seconds } of CALLS[name]) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.type = "triangle";
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0, start + fromSeconds);
    volume.gain.linearRampToValueAtTime(loudness, start + fromSeconds + 0.012);
    volume.gain.exponentialRampToValueAtTime(0.001, start + fromSeconds + seconds);
    tone.connect(volume).connect(context.destination);
    tone.start(start + fromSeconds);
    tone.stop(start + fromSeconds + seconds + 0.05);
  }
  navigator.vibrate?.([180, 90, 180]);
  return true;
}
