/** A page that listens at `/api/live`. */
import { ORIGIN, type Visitor } from "./visitor.ts";

export function upgrade(
  visitor: Visitor,
  path = "/api/live",
  headers: Record<string, string> = {},
): Promise<Response> {
  return visitor.get(path, { upgrade: "websocket", origin: ORIGIN, ...headers });
}

export interface LiveState {
  readonly imports: Readonly<Record<string, unknown>>;
  readonly handshake?: {
    readonly steps: readonly { readonly step: string; readonly client: string | null }[];
  };
}

export async function listen(visitor: Visitor, path?: string, headers?: Record<string, string>) {
  const response = await upgrade(visitor, path, headers);
  const socket = response.webSocket;
  if (socket === null) throw new Error(`${response.status} ${await response.text()}`);
  const heard: string[] = [];
  let wake = (): void => {};
  socket.addEventListener("message", ({ data }) => {
    heard.push(String(data));
    wake();
  });
  const closed = new Promise<number>((done) =>
    socket.addEventListener("close", ({ code }) => done(code)),
  );
  socket.accept();
  return {
    heard,
    /** With the code that the server gave. */
    closed,
    send: (message: string | Uint8Array) => socket.send(message),
    /** The first `count` states, as soon as there are so many. */
    async states(count: number): Promise<LiveState[]> {
      for (;;) {
        const states = heard
          .map((text) => JSON.parse(text) as { state?: LiveState })
          .flatMap(({ state }) => (state === undefined ? [] : [state]));
        if (states.length >= count) return states;
        await new Promise<void>((woken) => (wake = woken));
      }
    },
  };
}
