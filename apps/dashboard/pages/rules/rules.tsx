import { useQuery } from "@tanstack/react-query";
import { answerOf, api } from "../../api.ts";
import { person } from "../../person.ts";
import { Card, Page as Frame } from "../../shell/page.tsx";
import { Link } from "../../shell/router.tsx";
import { Answer } from "../../states/answer.tsx";
import { Loading } from "../../states/states.tsx";
import "../../styles/rules.css";
import { Groups } from "./groups.tsx";

/** Every memory rule as a form. */
export function Page() {
  const rules = useQuery({
    queryKey: ["rules"],
    queryFn: () => answerOf(api.rules.$get()),
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
        “yesterday” means in a search. Change it in <Link to="/security">Security</Link>.
      </p>
      <p>
        Numbers and dates follow your browser, which asks for <strong>{language}</strong>. Memories
        are found in the language in which they were saved.
      </p>
    </Card>
  );
}
