/** Memories that a search ranks, and at most finds; two rows are read for each. Figures: bench/RESULTS.md. */
export const MEMORY_CANDIDATES = 96;
