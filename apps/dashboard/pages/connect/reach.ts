/** Whether an address leads to nothing but the computer that it is used on. */
export function isOnThisComputer(url: string): boolean {
  const hostname = URL.parse(url)?.hostname ?? "";
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname.startsWith("127.") ||
    hostname === "[::1]"
  );
}

/** Whether it is an address that Cloudflare gives: no settings of a domain hold for it. */
export function isOnCloudflareDomain(url: string): boolean {
  return URL.parse(url)?.hostname.endsWith(".workers.dev") ?? false;
}
