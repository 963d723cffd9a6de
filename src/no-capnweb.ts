/** Stands in for `capnweb` in the Worker: `agents` offers it as another way to speak over a socket, which `/api/live` never asks for. */
export function newWebSocketRpcSession(): never {
  throw new Error("Nothing here speaks Cap'n Web");
}
