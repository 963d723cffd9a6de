/** A request without access, answered in the shape of the API that it is for. @param challenge for `WWW-Authenticate` */
export function refuseUnauthorized({ url }: Request, message: string, challenge: string): Response {
  const hint = "Make a token on the server's page, or connect again.";
  const isStores = new URL(url).pathname.startsWith("/v1/");
  return Response.json(
    isStores
      ? { type: "error", error: { type: "authentication_error", message: `${message} ${hint}` } }
      : { error: { code: "unauthorized", message, hint } },
    { status: 401, headers: { "WWW-Authenticate": challenge } },
  );
}
