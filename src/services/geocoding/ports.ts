/** Where addresses lie, as other parts need it. */
import type { Point } from "../../lib/geo.js";

export interface FoundAddress extends Point {
  /** As the source writes it. */
  readonly address: string;
  /** Who says so. */
  readonly source: string;
}

export interface Geocoder {
  /** The best matches first, at most `limit`. Rejects when nobody can be asked now. */
  find(text: string, limit: number): Promise<readonly FoundAddress[]>;
  /** The best match, or null when there is none. */
  locate(text: string): Promise<FoundAddress | null>;
}
