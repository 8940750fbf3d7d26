/** The same names, to be written to: for who makes or owns an object that others may only read. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
