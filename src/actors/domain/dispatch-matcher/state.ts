/** What a matcher keeps: nothing. Questions and answers pass through it, and its one timer lives in memory. */
export type MatcherState = null;

export const initialMatcher = (): MatcherState => null;
