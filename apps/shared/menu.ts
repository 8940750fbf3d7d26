/** Menus as apps show them: categories in order, what is chosen with a dish. */
import type { ChosenOption, MenuView, OptionGroup } from "../../sdk/mod.js";
import { capital } from "./words.js";

export type MenuItemView = MenuView["items"][number];

export interface Section {
  readonly name: string;
  readonly about: string;
  readonly items: readonly MenuItemView[];
}

/** Categories in the restaurant's own order; those that only dishes name come after these. */
export function sectionsOf(menu: MenuView): readonly Section[] {
  const items = new Map<string, MenuItemView[]>();
  const abouts = new Map<string, string>();
  for (const { name, description } of menu.categories ?? []) {
    items.set(name, []);
    abouts.set(name, description ?? "");
  }
  for (const item of menu.items) {
    const name = item.category ?? "Menu";
    const present = items.get(name);
    if (present === undefined) items.set(name, [item]);
    else present.push(item);
  }
  return [...items]
    .filter(([, list]) => list.length > 0)
    .map(([name, list]) => ({ name: capital(name), about: abouts.get(name) ?? "", items: list }));
}

export const canBeOrdered = (item: MenuItemView): boolean => item.available !== false && item.left !== 0;

/** What a group asks for, in words. */
export function groupRule({ min = 0, max = 1 }: OptionGroup): string {
  if (min === 0) return max === 1 ? "Choose one, or none" : `Choose up to ${max}`;
  if (min === max) return min === 1 ? "Choose one" : `Choose ${min}`;
  return `Choose ${min} to ${max}`;
}

/** Enough and not too many of every group. */
export function isComplete(item: MenuItemView, chosen: readonly ChosenOption[]): boolean {
  return (item.options ?? []).every(({ groupId, min = 0, max = 1 }) => {
    const count = chosen.filter((option) => option.groupId === groupId).length;
    return count >= min && count <= max;
  });
}

/** The names of what was chosen, in the menu's order. */
export function choiceWords(item: MenuItemView, chosen: readonly ChosenOption[]): string {
  const names = (item.options ?? []).flatMap(({ groupId, choices }) =>
    choices
      .filter(({ choiceId }) => chosen.some((option) => option.groupId === groupId && option.choiceId === choiceId))
      .map(({ name }) => name),
  );
  return names.join(", ");
}

/** What is chosen with a dish unless somebody decides otherwise: the first of each group that has to be answered. */
export function usualChoices(item: MenuItemView): readonly ChosenOption[] {
  return (item.options ?? []).flatMap(({ groupId, min = 0, choices }) =>
    choices
      .filter(({ available }) => available !== false)
      .slice(0, min)
      .map(({ choiceId, priceMinor }) => ({ groupId, choiceId, priceMinor })),
  );
}
