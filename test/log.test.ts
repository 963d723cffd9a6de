import { expect, test, vi } from "vitest";
import { logError } from "../src/log.ts";

function logged(error: unknown): string {
  const spy = vi.spyOn(console, "error").mockImplementation(() => undefined);
  try {
    logError("ref", "save_memory", error);
    return String(spy.mock.calls[0]?.[0]);
  } finally {
    spy.mockRestore();
  }
}

test.each([
  "oops\nat Anna's flat on Elm Street",
  "oops\n    at Anna's flat (Elm Street:12:30)",
  "oops\n    at Anna (elm-street:12:30)\n",
  "at Anna's",
  "Anna\nError: Anna\n    at Anna (elm-street:12:30)",
])("no line of the message %j is logged as a frame", (message) => {
  const line = logged(new Error(message));
  expect(line).not.toMatch(/Anna|Elm|elm/);
  expect(JSON.parse(line).frames[0]).toMatch(/log\.test\.ts/);
});

test.each(["refused", "", "oops", "oo"])(
  "a message changed to %j after the error was made takes its frames along",
  (message) => {
    const error = new Error("oops, refused\n    at Anna (elm-street:12:30)");
    error.message = message;
    expect(logged(error)).not.toContain("Anna");
  },
);

test("text that was appended to a stack is no frame", () => {
  const error = new Error("oops");
  error.stack += "\n    at Anna's flat\nCaused by: Anna";
  expect(logged(error)).not.toContain("Anna");
});

test("an error without a message or a stack, and what is no error, are logged by name", () => {
  expect(JSON.parse(logged(new TypeError())).frames[0]).toMatch(/log\.test\.ts/);
  const bare = new Error("Anna");
  delete bare.stack;
  expect(JSON.parse(logged(bare))).toMatchObject({ name: "Error", frames: [] });
  expect(JSON.parse(logged("Anna"))).toEqual({
    level: "error",
    reference: "ref",
    where: "save_memory",
    name: "string",
  });
});
