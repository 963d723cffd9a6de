import { STATUS } from "../http/error-status.ts";
import { retryHeaders, type UserError } from "../errors.ts";

/** JSON-RPC 2.0 §5.1 leaves -32000 to -32099 to servers. */
const REFUSED = -32_000;

/** In place of any answer of the protocol: the request is not read, so its id is not known. */
export function refuseCall(refusal: UserError): Response {
  const { code, message, hint, details } = refusal;
  const error = { code: REFUSED, message: `${message} ${hint}`, data: { code, ...details } };
  return Response.json(
    { jsonrpc: "2.0", id: null, error },
    { status: STATUS[code], headers: retryHeaders(refusal) },
  );
}
