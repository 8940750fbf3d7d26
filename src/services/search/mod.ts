/** Finding something to eat: the public door of this folder. */
export {
  createSearchEngine,
  DEFAULT_SEARCH_SETTINGS,
  type SearchAnswer,
  type SearchEngine,
  type SearchSettings,
} from "./engine.js";
export { againOperations, searchOperations } from "./operations.js";
export { createSearchClient, type SearchClient, serveSearch } from "./pipe.js";
export type { Pipe, SearchSource, SearchTermStore } from "./ports.js";
export { parseSynonyms, type SynonymTable } from "./synonyms.js";
