import { expect, test } from "vitest";
import { callTool, fetchWorker, newPerson, type Person } from "../support/people.ts";
import * as chatgpt from "./fixtures/chatgpt.ts";
import { bytesIn, deflatedBomb, zipOf, type ZippedFile } from "./fixtures/zip.ts";

const MIB = 1_048_576;

function upload(person: Person, body: Blob): Promise<Response> {
  return fetchWorker("/api/imports", {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${person.token}` },
  });
}

const chats = JSON.stringify([chatgpt.branched()]);

/** Begins as an export and goes on with zeros: 24 MiB for 25 GB. It states no more than it may. */
async function bomb(): Promise<ZippedFile> {
  const content = await deflatedBomb(`${chats.slice(0, -1)},"`, 24 * MIB);
  const states = { method: 8, size: 4 * 10 ** 9, crc: 0 };
  return { name: "conversations.json", content, method: 0, states };
}

test("bombs are refused with 413, and the same person's next import is as any other", async () => {
  const person = await newPerson();
  const loose = await zipOf([await bomb()]);
  expect(loose.size).toBeGreaterThan(24 * MIB);
  const nested = await zipOf([
    { name: "inner.zip", content: await bytesIn(loose), states: { crc: 0 } },
  ]);
  const behindSoundFile = await zipOf([
    { name: "conversations.json", content: chats },
    { name: "bomb.json", content: new Uint8Array(60 * MIB), states: { crc: 0 } },
  ]);
  for (const zip of [loose, nested, behindSoundFile]) {
    const response = await upload(person, zip);
    expect(await response.json()).toMatchObject({ error: { code: "too_large" } });
    expect(response.status).toBe(413);
  }
  expect((await callTool(person, "list_conversations")).data["conversations"]).toEqual([]);

  const response = await upload(person, new Blob([chats]));
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    items: { by_kind: { conversation: { found: 1, new: 1 } } },
  });
});
