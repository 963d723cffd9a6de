/** What a person asks their assistant, so that it prints what it remembers in a form that is read here (`transfer/formats/pasted-list.ts`). */
export interface Prompt {
  readonly assistant: string;
  /** Why this way, in a sentence. */
  readonly about: string;
  readonly text: string;
}

const FORM =
  "Answer with one code block and nothing else: one entry a line, each in the form `[YYYY-MM-DD or unknown] - text`. Use my own words where you have them. Do not group, shorten or leave out anything.";

export const PROMPTS: readonly [Prompt, ...Prompt[]] = [
  {
    assistant: "ChatGPT",
    about: "Its export holds your chats, but not the memories that it saved: this brings them.",
    text: `Print everything that you have stored about me: all saved memories, my custom instructions, and whatever else you know of me from earlier chats. ${FORM}`,
  },
  {
    assistant: "Claude",
    about: "Its export has them too; this is quicker when you want nothing else.",
    text: `Print everything that you remember about me: your memory of our conversations, my preferences and instructions, and what you know of my projects. ${FORM}`,
  },
  {
    assistant: "Gemini",
    about: "Its export is a log of your prompts and has no memories.",
    text: `Print everything that you have saved about me: saved info, my instructions, and whatever else you know of me from earlier chats. ${FORM}`,
  },
  {
    assistant: "Another",
    about: "Any assistant that remembers can be asked.",
    text: `Print everything that you remember about me: facts, preferences, instructions, projects, people, decisions. ${FORM}`,
  },
];
