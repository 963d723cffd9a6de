/** Before the next part, where another request was at the same one. Arbitrary. */
const PAUSE_MS = 1_000;

/**
 * A check of an account from outside, to its end: each request does a part, and whoever stops goes on with it the next time.
 * @param askForPart what the server says of the check after one more part
 * @returns null: it was stopped
 */
export async function checkInParts<Check extends { readonly state: "running" | "finished" }>(
  askForPart: () => Promise<Check>,
  { told, signal }: { readonly told: (check: Check) => void; readonly signal?: AbortSignal },
): Promise<Check | null> {
  let before = "";
  for (;;) {
    if (signal?.aborted === true) return null;
    const check = await askForPart();
    told(check);
    if (check.state === "finished") return check;
    const now = JSON.stringify(check);
    // Somebody else, or the server by itself, is at it too.
    if (now === before) await new Promise((done) => setTimeout(done, PAUSE_MS));
    before = now;
  }
}
