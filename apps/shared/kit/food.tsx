/** Pictures of food where a restaurant has given none: drawn, coloured by name, the same each time. */
import type { ComponentChildren } from "preact";

const stroke = {
  fill: "none",
  stroke: "#fff",
  "stroke-width": 2.2,
  "stroke-linecap": "round" as const,
  "stroke-linejoin": "round" as const,
};

const DRAWINGS: readonly { readonly words: RegExp; readonly hue: number; readonly draw: ComponentChildren }[] = [
  {
    words: /pizz|margherita|calzone|forno|cornicione|napoli/i,
    hue: 12,
    draw: <path d="M8 14c9-5 23-5 32 0L24 42zM13 17c6-2.500 16-2.500 22 0M21 24h.1M27 22h.1M24 31h.1" />,
  },
  {
    words: /burger|american|diner|bbq|patty|smash|grill|chicken/i,
    hue: 32,
    draw: (
      <path d="M9 21c0-8 7-12 15-12s15 4 15 12zM8 27c3 0 3 2.500 6 2.500s3-2.500 6-2.500 3 2.500 6 2.500 3-2.500 6-2.500 3 2.500 8 0M10 34h28c0 4-3 6-6 6H16c-3 0-6-2-6-6zM19 15h.1M26 14h.1" />
    ),
  },
  {
    words: /sushi|japan|fish|seafood|nigiri|maki|osaka|sashimi|roll/i,
    hue: 352,
    draw: (
      <path d="M10 18a9 5 0 0 0 18 0 9 5 0 0 0-18 0v10a9 5 0 0 0 18 0V18M15 18a4 2 0 0 0 8 0 4 2 0 0 0-8 0M30 38 42 10M35 40l8-28" />
    ),
  },
  {
    words:
      /ramen|indian|chinese|vietnam|korea|asian|noodle|pho|udon|soup|laksa|wok|pad thai|curry|dal|masala|tikka|thai/i,
    hue: 22,
    draw: <path d="M7 23h34c0 9-6 16-17 16S7 32 7 23zM15 23c0-6 4-6 4-11M22 23c0-6 4-6 4-11M29 23c0-6 4-6 4-11" />,
  },
  {
    words: /taco|burrito|quesadilla|nacho|mexic|cantina|luz/i,
    hue: 44,
    draw: (
      <path d="M6 34c0-12 8-20 18-20s18 8 18 20c0 2-1 3-3 3H9c-2 0-3-1-3-3zM12 30c2-7 6-10 12-10M14 15c2-4 5-4 7-2 2-4 6-4 8 0 3-2 6-1 7 3" />
    ),
  },
  {
    words: /salad|bowl|poke|green|vegan|falafel|hummus|mezze/i,
    hue: 135,
    draw: <path d="M7 24h34c0 9-6 15-17 15S7 33 7 24zM12 24c-1-6 3-9 7-7 1-5 8-6 10-1 5-2 9 2 7 8" />,
  },
  {
    words: /coffee|latte|espresso|tea|flat white|brew|café|cafe/i,
    hue: 26,
    draw: (
      <path d="M10 18h22v11c0 6-4 10-11 10s-11-4-11-10zM32 21h3c4 0 4 9 0 9h-3M16 12c0-3 2-3 2-6M24 12c0-3 2-3 2-6" />
    ),
  },
  {
    words:
      /cake|bakery|breakfast|dessert|tiramisu|ice|gelato|pastry|croissant|morning|pancake|waffle|cookie|sweet|brownie/i,
    hue: 332,
    draw: (
      <path d="M8 26c0-3 3-5 6-5h20c3 0 6 2 6 5v12H8zM8 31c4 3 6-2 10 0s6 2 10 0 6-1 12 0M24 21v-6M24 10c2 2 2 4 0 5-2-1-2-3 0-5z" />
    ),
  },
  {
    words: /kebab|turkish|greek|leban|syria|döner|doner|shawarma|wrap|gyros|pita|lahmacun/i,
    hue: 18,
    draw: <path d="M15 13 33 9l3 9-10 22c-2 3-5 2-6-1zM15 13c2-5 7-6 9-4M20 22l12-3M22 29l8-2" />,
  },
  {
    words: /pasta|italian|mediterr|spaghetti|lasagn|carbonara|trattoria|gnocchi|risotto/i,
    hue: 40,
    draw: <path d="M7 25h34c0 8-6 14-17 14S7 33 7 25zM12 25c0-8 6-12 12-12s12 4 12 12M17 25c0-5 3-7 7-7s7 2 7 7" />,
  },
  {
    words: /water|juice|cola|lemonade|drink|beer|wine|smoothie|soda/i,
    hue: 205,
    draw: <path d="M14 12h20l-2.500 27a3 3 0 0 1-3 2.500h-9a3 3 0 0 1-3-2.500zM15 22h18M26 12l3-7" />,
  },
  {
    words: /bread|fries|toast|bun|side|naan|bagel|oat|rye|sandwich/i,
    hue: 36,
    draw: <path d="M10 20c-4-8 4-11 14-11s18 3 14 11v17c0 2-1 3-3 3H13c-2 0-3-1-3-3zM18 21v10M24 20v10M30 21v10" />,
  },
];
const PLATE = <path d="M24 10a14 14 0 1 0 0 28 14 14 0 0 0 0-28zM24 17a7 7 0 1 0 0 14 7 7 0 0 0 0-14z" />;

const PLATE_HUE = 20;
/** Dishes of one kind differ a little. */
const HUE_SPREAD = 17;

function hash(text: string): number {
  let value = 7;
  for (let i = 0; i < text.length; i++) value = (value * 31 + text.charCodeAt(i)) >>> 0;
  return value;
}

/** `name`: what is shown; `also`: more words to guess by, for example a cuisine. */
export function FoodPicture({
  name,
  also = "",
  image,
}: {
  readonly name: string;
  readonly also?: string;
  readonly image?: string | undefined;
}) {
  if (image !== undefined && image !== "") return <img class="food" src={image} alt="" loading="lazy" />;
  const found =
    DRAWINGS.find(({ words }) => words.test(name)) ?? DRAWINGS.find(({ words }) => also !== "" && words.test(also));
  const hue = (found?.hue ?? PLATE_HUE) + (hash(name) % HUE_SPREAD) - 8;
  return (
    <span class="food" style={{ "--hue": String(hue) }} aria-hidden="true">
      <svg viewBox="0 0 48 48" {...stroke} aria-hidden="true">
        {found?.draw ?? PLATE}
      </svg>
    </span>
  );
}
