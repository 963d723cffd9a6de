/** The person's own program, as memories name it: it may change rules and approve memories. */
export const PROGRAM_NAME = "Cofio CLI";
