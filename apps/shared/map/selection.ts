/** What a person has chosen on the map of the city. */
export type Selection = { readonly kind: "order" | "driver"; readonly id: string };
