import { useQuery } from "@tanstack/react-query";
import { answerOf, api } from "../../api.ts";
import { person } from "../../person.ts";
import { Card, Page as Frame } from "../../shell/page.tsx";
import { Answer } from "../../states/answer.tsx";
import { Loading } from "../../states/states.tsx";
import "../../styles/rules.css";
import { Groups } from "./groups.tsx";

/** Every memory rule as a form. */
export function Page() {
  const rules = useQuery({
    queryKey: ["rules"],
    queryFn: () => answerOf(api.rules.$get()),
    // Changed by a token or in another window they are no operation, and nothing tells it.
    refetchOnWindowFocus: "always",
  });
  return (
    <Frame
      title="Rules"
      lead="What your assistants may store, and for how long. The server keeps to it, whatever an assistant tries."
    >
      <Answer query={rules} loading={<Loading lines={8} />}>
        {(answer) => <Groups answer={answer} />}
      </Answer>
      <TimeAndLanguage />
    </Frame>
  );
}

function TimeAndLanguage() {
  const language = new Intl.DisplayNames(undefined, { type: "language" }).of(navigator.language);
  return (
    <Card title="Time and language">
      <p>
        Your days begin and end by the time zone <strong>{person.timeZone}</strong>: it tells what
        “yesterday” means in a search. Change it in <a href="/account">your account</a>.
      </p>
      <p>
        Numbers and dates follow your browser, which asks for <strong>{language}</strong>. Memories
        are found in the language in which they were saved.
      </p>
    </Card>
  );
}
