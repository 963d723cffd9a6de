import { useQuery } from "@tanstack/react-query";
import { useCallback, useState, type ReactNode } from "react";
import { answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { useChangeMany } from "../../memories/changes.ts";
import { changesOf, draftOf } from "../../memories/draft.ts";
import {
  CATEGORY_NAMES,
  IMPORTANCE_NAMES,
  SOURCE_NAMES,
  type Memory,
} from "../../memories/memory.ts";
import { StoredText } from "../../memories/stored-text.tsx";
import { Icon } from "../../shell/icon.tsx";
import { Card, Page as Frame } from "../../shell/page.tsx";
import { Link } from "../../shell/router.tsx";
import { useShortcut } from "../../shell/shortcuts.tsx";
import { Answer } from "../../states/answer.tsx";
import { tell } from "../../states/toasts.tsx";
import { dayText } from "../../words/amounts.ts";
import { Moment } from "../../words/moment.tsx";
import { EditMemory } from "./edit-memory.tsx";
import { Versions } from "./versions.tsx";
import "../../styles/memories.css";

/** One memory: what it says, where it came from, what it said before. */
export function Page({ id = "" }: Record<string, string>) {
  const query = useQuery({
    queryKey: ["memory", id],
    queryFn: async () => {
      const answer = await answerOf(api.memories[":id"].$get({ param: { id }, query: {} }));
      return answer.memory;
    },
  });
  const [isEditing, setEditing] = useState(false);
  const edit = useCallback(() => setEditing(true), []);
  const memory = query.data;
  const mayEdit = memory !== undefined && memory.status !== "trashed" && !isEditing;
  return (
    <Frame
      title="Memory"
      lead={<Link to="/memories">All memories</Link>}
      actions={
        memory === undefined ? null : <Actions memory={memory} edit={mayEdit ? edit : null} />
      }
    >
      <Answer query={query}>
        {(shown) => (
          <>
            <Standing memory={shown} />
            <div className="columns">
              <div>
                {isEditing ? (
                  <EditMemory memory={shown} close={() => setEditing(false)} />
                ) : (
                  <section className="card" aria-label="What it says">
                    <p className="memory-content">
                      <StoredText text={shown.content} />
                    </p>
                  </section>
                )}
                <History memory={shown} isEditing={isEditing} />
              </div>
              <Facts memory={shown} />
            </div>
          </>
        )}
      </Answer>
    </Frame>
  );
}

function Actions({
  memory,
  edit,
}: {
  readonly memory: Memory;
  readonly edit: (() => void) | null;
}) {
  const change = useChangeMany();
  const { id, status, content } = memory;
  const set = (to: "active" | "trashed", done: string) =>
    change.mutate({ ids: [id], status: to, done });
  const copy = async () => {
    await navigator.clipboard.writeText(content);
    tell("Copied.");
  };
  return (
    <>
      {status === "active" ? null : (
        <button
          type="button"
          className="primary"
          disabled={change.isPending}
          onClick={() => set("active", status === "pending" ? "Approved" : "Restored")}
        >
          {status === "pending" ? "Approve" : "Restore"}
        </button>
      )}
      {edit === null ? null : <EditButton edit={edit} />}
      <button type="button" onClick={() => void copy()}>
        Copy
      </button>
      {status === "trashed" ? null : (
        <button
          type="button"
          disabled={change.isPending}
          onClick={() => set("trashed", status === "pending" ? "Discarded" : "In the trash")}
        >
          {status === "pending" ? "Discard" : "Move to the trash"}
        </button>
      )}
    </>
  );
}

function EditButton({ edit }: { readonly edit: () => void }) {
  useShortcut("e", "Edit", edit);
  return (
    <button type="button" onClick={edit}>
      Edit
    </button>
  );
}

/** What is special about it now. */
function Standing({ memory }: { readonly memory: Memory }) {
  if (memory.status === "trashed") {
    return (
      <p className="banner">
        <Icon name="empty" /> In the trash. It is gone for good 30 days after it was put there.
      </p>
    );
  }
  if (memory.status === "pending") {
    return (
      <p className="banner">
        <Icon name="memories" /> Waits for your review: no assistant sees it until you approve it.
      </p>
    );
  }
  if (memory.superseded_by !== undefined) {
    return (
      <p className="banner">
        <Icon name="history" />
        <span>
          Replaced by <Link to={`/memories/${memory.superseded_by}`}>a newer memory</Link>.
        </span>
      </p>
    );
  }
  return null;
}

function Facts({ memory }: { readonly memory: Memory }) {
  const { tags = [], project, path, client, supersedes } = memory;
  return (
    <Card title="About it">
      <dl className="facts">
        <Fact name="Saved">
          <Moment time={memory.created_at} />
        </Fact>
        {memory.updated_at === memory.created_at ? null : (
          <Fact name="Changed">
            <Moment time={memory.updated_at} />
          </Fact>
        )}
        {client === "" ? null : (
          <Fact name="Written by">
            <bdi>{client}</bdi>
          </Fact>
        )}
        <Fact name="Came from">{SOURCE_NAMES[memory.source]}</Fact>
        <Fact name="Said by">{memory.origin === "user" ? "You" : "An assistant"}</Fact>
        <Fact name="Category">{CATEGORY_NAMES[memory.category]}</Fact>
        <Fact name="Importance">{IMPORTANCE_NAMES[memory.importance - 1]}</Fact>
        {project === undefined ? null : (
          <Fact name="Project">
            <Link to={`/memories?${new URLSearchParams({ project })}`}>
              <bdi>{project}</bdi>
            </Link>
          </Fact>
        )}
        {tags.length === 0 ? null : (
          <Fact name="Tags">
            <span className="tag-list">
              {tags.map((tag) => (
                <Link key={tag} to={`/memories?${new URLSearchParams({ tag })}`} className="tag">
                  <bdi>{tag}</bdi>
                </Link>
              ))}
            </span>
          </Fact>
        )}
        {path === undefined ? null : (
          <Fact name="File">
            <bdi>{path}</bdi>
          </Fact>
        )}
        {memory.expires_at === undefined ? null : (
          <Fact name="Holds until">{dayText(memory.expires_at)}</Fact>
        )}
        {supersedes === undefined ? null : (
          <Fact name="Would replace">
            <Link to={`/memories/${supersedes}`}>another memory</Link>
          </Fact>
        )}
      </dl>
    </Card>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function History({ memory, isEditing }: { readonly memory: Memory; readonly isEditing: boolean }) {
  const bringBack = useChange({
    make: (version: Memory) =>
      answerOf(
        api.memories[":id"].$patch({
          param: { id: memory.id },
          json: { ...changesOf(draftOf(memory), draftOf(version)), if_version: memory.version },
        }),
      ),
    say: ({ operation_id: id }, { version }) =>
      id === undefined ? "It is so already." : `Brought back as in version ${version}.`,
  });
  const isFixed = isEditing || memory.status === "trashed" || bringBack.isPending;
  return (
    <Versions memory={memory} bringBack={isFixed ? null : (version) => bringBack.mutate(version)} />
  );
}
