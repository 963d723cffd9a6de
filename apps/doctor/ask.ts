/** What the examination asks, and what comes back. Whoever runs it brings the network: Node in `cofio doctor`, a browser on a page. */

/** A request to the server that is examined. It names no host: nothing of the examination ever goes to another one. */
export interface Ask {
  readonly method: "GET" | "HEAD" | "POST" | "OPTIONS";
  /** From the root of the server, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answered {
  readonly kind: "answered";
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** False: it ended too early, or was cut because it would not end. */
  readonly isWhole: boolean;
}

export interface Silent {
  readonly kind: "silent";
  readonly reason: "name" | "certificate" | "late" | "refused";
  /** The system's own words. */
  readonly detail: string;
}

export type Answer = Answered | Silent;

/** Follows no redirect, never throws for what a server does, and ends in time. */
export type AskServer = (ask: Ask) => Promise<Answer>;

export function isRedirect({ status }: Answered): boolean {
  return status >= 300 && status < 400;
}

/** The value, or null where the text is no JSON, as most that did not arrive whole. */
export function jsonOf({ text }: Answered): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function isPage({ headers, text }: Answered): boolean {
  return (
    (headers.get("content-type") ?? "").includes("html") || /^\s*<(?:!doctype|html)/i.test(text)
  );
}

/** Only Cofio's own answers carry its policy; an edge in front of it, a proxy or another program has none, or another. */
export function isFromCofio({ headers }: Answered): boolean {
  return (headers.get("content-security-policy") ?? "").includes("trusted-types cofio");
}

/** Something in front of Cofio refused: with a page that wants a browser to prove itself, or plainly. Null: it was not refused there. */
export function refusedAtEdge(answer: Answered): "challenge" | "block" | null {
  if (answer.headers.get("cf-mitigated") === "challenge") return "challenge";
  if (![401, 403, 406, 429, 503].includes(answer.status) || isFromCofio(answer)) return null;
  if (answer.status === 401 && answer.headers.has("www-authenticate")) return null;
  return /just a moment|challenge-platform/i.test(answer.text) ? "challenge" : "block";
}
