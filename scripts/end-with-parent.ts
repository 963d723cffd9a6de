/**
 * Preloaded into wrangler by `start`, which holds the other end of stdin: when that closes, `start` is gone, even if it was killed,
 * and the whole process group (wrangler, esbuild, workerd) goes too. Nothing is lost: D1 and objects are durable at each answer.
 */
import { isMainThread } from "node:worker_threads";

// A thread inherits the preload as well, and its stdin is at its end from the start.
if (isMainThread) {
  process.stdin.on("end", () => {
    process.kill(0, "SIGKILL");
  });
  process.stdin.resume();
}
