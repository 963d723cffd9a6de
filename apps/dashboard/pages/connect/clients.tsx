import { useMemo } from "react";
import { navigate, useQueryParams } from "../../shell/router.tsx";
import { Empty } from "../../states/states.tsx";
import { counted } from "../../words/amounts.ts";
import { ClientRow } from "./client-row.tsx";
import { CLIENT_KINDS, clientsFor, type Client, type ClientKind } from "./clients.ts";

/** True because `CLIENT_KINDS` has nothing else. */
const KINDS = Object.keys(CLIENT_KINDS) as readonly ClientKind[];

/** Every app that is known here, narrowed by what is typed and by kind; both stand in the address. */
export function Clients({ url }: { readonly url: string }) {
  const params = useQueryParams();
  const query = params.get("q") ?? "";
  const kind = KINDS.find((name) => name === params.get("kind"));
  const all = useMemo(() => clientsFor(url), [url]);
  const shown = all.filter(
    (client) => (kind === undefined || client.kind === kind) && isCalled(client, query),
  );
  return (
    <section className="card" aria-labelledby="apps">
      <div className="clients-head">
        <h2 id="apps">Your apps</h2>
        <input
          type="search"
          data-search
          aria-label="Search apps"
          placeholder="Search apps"
          autoComplete="off"
          value={query}
          onChange={(event) => show({ q: event.target.value, kind })}
        />
        <fieldset className="kinds">
          <legend className="sr-only">Kind of app</legend>
          {[undefined, ...KINDS].map((name) => (
            <label key={name ?? "all"}>
              <input
                type="radio"
                name="kind"
                className="sr-only"
                checked={kind === name}
                onChange={() => show({ q: query, kind: name })}
              />
              {name === undefined ? "All" : CLIENT_KINDS[name]}
            </label>
          ))}
        </fieldset>
      </div>
      <p className="sr-only" role="status">
        {counted(shown.length, "app")}
      </p>
      {shown.length === 0 ? (
        <Empty
          title="No app of that name is described here."
          icon="search"
          actions={
            <button type="button" onClick={() => show({ q: "", kind: undefined })}>
              Show all
            </button>
          }
        >
          If it speaks MCP over HTTP, give it the address above. If it only starts commands, see
          “Apps that only start commands”.
        </Empty>
      ) : (
        <div className="clients">
          {shown.map((client) => (
            <ClientRow key={client.id} client={client} url={url} isOpen={shown.length === 1} />
          ))}
        </div>
      )}
    </section>
  );
}

function show({ q, kind }: { readonly q: string; readonly kind: ClientKind | undefined }): void {
  const params = new URLSearchParams({
    ...(q === "" ? {} : { q }),
    ...(kind === undefined ? {} : { kind }),
  });
  navigate(params.size === 0 ? location.pathname : `${location.pathname}?${params}`, {
    replace: true,
  });
}

/** Whether each word that was typed is in one of its names. */
function isCalled({ name, alsoCalled = "" }: Client, query: string): boolean {
  const names = `${name} ${alsoCalled}`.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => names.includes(word));
}
