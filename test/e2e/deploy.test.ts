import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

test("a dry run of deploy builds the Worker and says what a deployment would do", async () => {
  const { code, stdout } = await runDeploy(["--dry-run", "--origin", "https://memory.example/"]);
  expect(stdout).toContain("env.USERS (UserAgent)");
  expect(stdout).toContain('env.LOCAL_TOKENS ("")');
  expect(stdout).toContain("upload the Worker, with PUBLIC_ORIGIN https://memory.example\n");
  expect(code).toBe(0);
});

test("deploy refuses an origin that clients could not use", async () => {
  for (const origin of ["http://memory.example", "https://memory.example/path", "memory.example"]) {
    expect(await runDeploy(["--dry-run", "--origin", origin])).toEqual({
      code: 1,
      stdout: "",
      stderr: `--origin must look like https://cofio.example.com, not "${origin}".\n`,
    });
  }
});

async function runDeploy(
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = resolve(root, "scripts/deploy.ts");
  return promisify(execFile)(process.execPath, [script, ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    // As execFile documents it.
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
      code,
      stdout,
      stderr,
    }),
  );
}
