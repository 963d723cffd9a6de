/** Cofio archives as tests handle them: made, downloaded, taken apart, changed and uploaded through the front door. */
import {
  BlobReader,
  BlobWriter,
  TextReader,
  TextWriter,
  ZipReader,
  ZipWriter,
} from "@zip.js/zip.js";
import { exportArchive, fetchWorker, type Person } from "./people.ts";

export interface DownloadedArchive {
  readonly zip: Blob;
  readonly response: Response;
  /** Texts by name, in the order of the zip. */
  readonly files: ReadonlyMap<string, string>;
  /** What `export_data` said. */
  readonly answer: Record<string, any>;
}

export async function downloadArchive(person: Person): Promise<DownloadedArchive> {
  const { data } = await exportArchive(person, { format: "cofio" });
  if (data["job"].state !== "finished") throw new Error(`The export is ${data["job"].state}`);
  const response = await fetchWorker(new URL(data["download"].url).pathname, {
    headers: { authorization: `Bearer ${person.token}` },
  });
  const zip = await response.blob();
  return { zip, response, files: await unzip(zip), answer: data };
}

export async function unzip(zip: Blob): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const reader = new ZipReader(new BlobReader(zip), { useWebWorkers: false, strictness: "strict" });
  for (const entry of await reader.getEntries()) {
    if (entry.directory) throw new Error("An archive has no folders of their own");
    files.set(
      entry.filename,
      await entry.getData(new TextWriter(), { checkSignature: true, useWebWorkers: false }),
    );
  }
  return files;
}

/** Files with a manifest that says what they hash to. */
export async function resigned(files: ReadonlyMap<string, string>): Promise<Map<string, string>> {
  const manifest = JSON.parse(files.get("manifest.json") ?? "");
  for (const file of manifest.files) {
    const bytes = new TextEncoder().encode(files.get(file.name));
    file.sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  }
  return new Map(files).set("manifest.json", JSON.stringify(manifest));
}

export async function rezip(files: ReadonlyMap<string, string>): Promise<Blob> {
  const writer = new ZipWriter(new BlobWriter(), { useWebWorkers: false });
  for (const [name, text] of files) await writer.add(name, new TextReader(text));
  return writer.close();
}

export function upload(person: Person, ...files: readonly File[]) {
  return uploadTo(person, "/api/imports", files);
}

/** @param query with its question mark */
export function uploadZip(person: Person, zip: Blob, query = "") {
  return uploadTo(person, `/api/imports${query}`, [new File([zip], "archive.zip")]);
}

async function uploadTo(
  person: Person,
  path: string,
  files: readonly File[],
): Promise<{ status: number; body: Record<string, any> }> {
  const form = new FormData();
  for (const file of files) form.append("files", file);
  const response = await fetchWorker(path, {
    method: "POST",
    headers: { authorization: `Bearer ${person.token}` },
    body: form,
  });
  return { status: response.status, body: await response.json() };
}

/** The lines of a file of lines. */
export function linesOf(text: string | undefined): Record<string, any>[] {
  return (text ?? "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
