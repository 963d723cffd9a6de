/** The two switches of Cloudflare that turn assistants away before the server sees them. */
export function EdgeSettings() {
  return (
    <ul>
      <li>
        <strong>Block AI bots</strong>, among the security settings: switch it off. Exceptions by
        firewall rules do not lift it.
      </li>
      <li>
        <strong>AI Crawl Control</strong>: allow the assistant’s crawlers, such as{" "}
        <code>Claude-User</code>, or leave <code>/mcp</code> and <code>/.well-known/</code> out of
        its rule.
      </li>
    </ul>
  );
}
