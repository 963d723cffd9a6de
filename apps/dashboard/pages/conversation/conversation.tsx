import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Page as Frame } from "../../shell/page.tsx";
import { Link, navigate, useQueryParams } from "../../shell/router.tsx";
import { Answer } from "../../states/answer.tsx";
import { Loading } from "../../states/states.tsx";
import { counted, dayText } from "../../words/amounts.ts";
import { platformName } from "../../words/platform.ts";
import { readOpening, type Conversation } from "./messages.ts";
import { Reader } from "./reader.tsx";
import "../../styles/conversation.css";

/** One conversation, of any length. */
export function Page({ id = "" }: Readonly<Record<string, string>>) {
  const asked = useQueryParams().get("message");
  // Where one began; what is looked at later does not read everything anew.
  const [messageId] = useState(asked);
  const opening = useQuery({
    queryKey: ["conversation", id, "opening", messageId],
    queryFn: () => readOpening(id, messageId),
  });
  const conversation = opening.data?.conversation;
  return (
    <Frame
      title={titleOf(conversation)}
      lead={conversation === undefined ? undefined : <Facts conversation={conversation} />}
      actions={conversation === undefined ? undefined : <Remove id={id} />}
    >
      <p>
        <Link to="/conversations">All conversations</Link>
      </p>
      <Answer query={opening} loading={<Loading lines={8} />}>
        {(read) => <Reader key={id} id={id} opening={read} />}
      </Answer>
    </Frame>
  );
}

function titleOf(conversation: Conversation | undefined): string {
  if (conversation === undefined) return "Conversation";
  return conversation.title === "" ? "Untitled conversation" : conversation.title;
}

function Facts({
  conversation: { platform, project, message_count: count, created_at: begun, updated_at: ended },
}: {
  readonly conversation: Conversation;
}) {
  const [from, to] = [dayText(begun), dayText(ended)];
  return (
    <>
      {platformName(platform)} · {counted(count, "message")} ·{" "}
      {from === to ? from : `${from} – ${to}`}
      {project === undefined ? null : (
        <>
          {" "}
          · <bdi>{project}</bdi>
        </>
      )}
    </>
  );
}

function Remove({ id }: { readonly id: string }) {
  const remove = useChange({
    // Away from it first: to read it again would find nothing.
    make: () =>
      answerOf(api.conversations[":id"].$delete({ param: { id } })).then((answer) => {
        navigate("/conversations");
        return answer;
      }),
    say: () => "Moved 1 conversation to the trash.",
  });
  return (
    <button type="button" disabled={remove.isPending} onClick={() => remove.mutate(undefined)}>
      Move to the trash
    </button>
  );
}
