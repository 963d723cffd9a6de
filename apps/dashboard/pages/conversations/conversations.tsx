import { answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Page as Frame } from "../../shell/page.tsx";
import { Link, useQueryParams } from "../../shell/router.tsx";
import { Empty } from "../../states/states.tsx";
import { counted } from "../../words/amounts.ts";
import { ConversationList } from "./conversation-list.tsx";
import { FilterBar } from "./filter-bar.tsx";
import { askedOf, filtersIn, isFiltered, showFiltered, type Filters } from "./filters.ts";
import { Hits } from "./hits.tsx";
import { Trash } from "./trash.tsx";
import "../../styles/conversations.css";

/** What was said to assistants, as it was imported: by platform and date, or by words; and what of it is in the trash. */
export function Page() {
  const params = useQueryParams();
  const isTrash = params.get("status") === "trashed";
  const filters = filtersIn(params);
  return (
    <Frame
      title="Conversations"
      lead="Your chats with assistants, from the files you imported. Assistants can look things up in them."
    >
      <nav className="tabs" aria-label="Which conversations">
        <Link to="/conversations" aria-current={isTrash ? undefined : "page"}>
          In use
        </Link>
        <Link to="/conversations?status=trashed" aria-current={isTrash ? "page" : undefined}>
          Trash
        </Link>
      </nav>
      {isTrash ? null : <FilterBar filters={filters} />}
      <section className="card">
        {isTrash ? (
          <Trash />
        ) : filters.query === "" ? (
          <Listed filters={filters} />
        ) : (
          <Hits filters={filters} />
        )}
      </section>
    </Frame>
  );
}

function Listed({ filters }: { readonly filters: Filters }) {
  const remove = useChange({
    make: (ids: string[]) => answerOf(api.conversations.delete.$post({ json: { ids } })),
    say: ({ deleted }) => `Moved ${counted(deleted.length, "conversation")} to the trash.`,
  });
  return (
    <ConversationList
      asked={{ ...askedOf(filters), order: filters.order }}
      nothing={<Nothing filters={filters} />}
      actions={(ids, clear) => (
        <button
          type="button"
          className="danger"
          disabled={remove.isPending}
          onClick={() => remove.mutate(ids, { onSuccess: clear })}
        >
          Move to the trash
        </button>
      )}
    />
  );
}

function Nothing({ filters }: { readonly filters: Filters }) {
  if (!isFiltered(filters)) {
    return (
      <Empty
        title="No conversations yet."
        icon="conversations"
        actions={
          <Link to="/import" className="button primary">
            Import files
          </Link>
        }
      >
        Bring your chats from ChatGPT, Claude, Gemini and others. They can then be read and searched
        here, and by the assistants you allow.
      </Empty>
    );
  }
  return (
    <Empty
      title="No conversation is of this platform and time."
      icon="search"
      actions={
        <button
          type="button"
          onClick={() => showFiltered({ ...filters, platform: null, from: "", to: "" })}
        >
          Show all
        </button>
      }
    />
  );
}
