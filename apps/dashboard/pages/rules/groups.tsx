import { useId, useState, type ReactNode } from "react";
import { CATEGORIES, type Category } from "../../../../src/storage/closed-lists.ts";
import { Link } from "../../shell/router.tsx";
import { counted, inFigures } from "../../words/amounts.ts";
import {
  autoSaveWords,
  blockedTagsWords,
  DEDUPLICATION_WORDS,
  expiryWords,
  FAILED_WORDS,
  IMPORTS_WORDS,
  maxMemoriesWords,
  relevanceWords,
  SECRETS_WORDS,
  whenFullWords,
  type Effects,
} from "./effect-words.ts";
import { useEffects, useFits, type Counts } from "./effects.ts";
import { useRuleForm, type RuleForm, type RulesAnswer, type Settings } from "./rule-form.ts";
import { categoryName, Group, NumberField, OneOfFew, Rule } from "./rule.tsx";

/** The rules in groups that are saved together. */
export function Groups({ answer }: { readonly answer: RulesAnswer }) {
  return (
    <>
      <Saving answer={answer} />
      <KeptOut answer={answer} />
      <Room answer={answer} />
      <Finding answer={answer} />
    </>
  );
}

function Saving({ answer }: { readonly answer: RulesAnswer }) {
  const form = useRuleForm(answer, ["auto_save", "imports"]);
  const counts = useEffects(form, answer);
  return (
    <Group title="Saving without asking" form={form}>
      <Rule
        form={form}
        name="auto_save"
        title="What assistants save on their own"
        what="Anything else waits for your review and is not found until then, unless you asked for it to be saved. What you save yourself never waits."
        usually={autoSaveText(form.usual("auto_save"))}
        effect={told(counts, counts.of("auto_save"), (effects) => (
          <>
            {autoSaveWords(form.value("auto_save"), effects)}
            <Waiting count={effects.auto_save.waiting} />
          </>
        ))}
      >
        <AutoSave form={form} />
      </Rule>
      <Rule
        form={form}
        name="imports"
        title="Imported memories"
        what="Memories that come in a file from another assistant. Conversations never wait."
        usually={form.usual("imports") === "active" ? "used at once" : "wait for your review"}
        effect={
          <>
            {IMPORTS_WORDS[form.value("imports")]}
            <Waiting count={counts.now?.imports.waiting ?? 0} />
          </>
        }
      >
        <OneOfFew
          label="Imported memories"
          value={form.value("imports")}
          choose={(value) => form.set("imports", value)}
          options={[
            ["active", "Used at once", ""],
            ["pending", "Wait for my review", "Assistants do not see them until you approve them."],
          ]}
        />
      </Rule>
    </Group>
  );
}

function AutoSave({ form }: { readonly form: RuleForm }) {
  const value = form.value("auto_save");
  const chosen = value === "all" ? null : value;
  return (
    <>
      <OneOfFew
        label="What assistants save on their own"
        value={chosen === null ? "all" : "some"}
        choose={(way) => form.set("auto_save", way === "all" ? "all" : [...CATEGORIES])}
        options={[
          ["all", "Anything", ""],
          ["some", "Only some kinds", "With none ticked, only what you ask for."],
        ]}
      />
      {chosen === null ? null : (
        <div role="group" aria-label="Kinds that they save on their own" className="categories">
          {CATEGORIES.map((category) => (
            <label key={category} className="tick">
              <input
                type="checkbox"
                checked={chosen.includes(category)}
                onChange={(event) =>
                  form.set(
                    "auto_save",
                    CATEGORIES.filter((name) =>
                      name === category ? event.target.checked : chosen.includes(name),
                    ),
                  )
                }
              />
              {categoryName(category)}
            </label>
          ))}
        </div>
      )}
    </>
  );
}

/** Of what was held back until now. */
function Waiting({ count }: { readonly count: number }) {
  if (count === 0) return null;
  return (
    <>
      {" "}
      <Link to="/memories?status=pending">
        {counted(count, "memory waits", "memories wait")} for your review.
      </Link>
    </>
  );
}

function KeptOut({ answer }: { readonly answer: RulesAnswer }) {
  const form = useRuleForm(answer, ["secrets", "blocked_tags"]);
  const counts = useEffects(form, answer);
  return (
    <Group title="What is kept out" form={form}>
      <Rule
        form={form}
        name="secrets"
        title="Passwords and keys"
        what="Keys of services, access tokens, private keys and passwords in addresses, where they are recognised. Imported conversations stay as they are."
        usually={SECRETS[form.usual("secrets")]}
        effect={SECRETS_WORDS[form.value("secrets")]}
      >
        <OneOfFew
          label="Passwords and keys"
          value={form.value("secrets")}
          choose={(value) => form.set("secrets", value)}
          options={[
            ["mask", "Remove them", "The rest is saved, with “[secret removed]” in their place."],
            ["refuse", "Refuse to save", "The assistant is told to try again without them."],
            ["allow", "Save them", "They are stored and found like everything else."],
          ]}
        />
      </Rule>
      <Rule
        form={form}
        name="blocked_tags"
        title="Blocked tags"
        what="Nothing new is stored under these tags: what an assistant files there is refused. What has them already stays. The words are stored encrypted."
        usually={
          form.usual("blocked_tags").length === 0 ? "none" : form.usual("blocked_tags").join(", ")
        }
        effect={told(counts, counts.of("blocked_tags"), (effects) =>
          blockedTagsWords(form.value("blocked_tags"), effects),
        )}
      >
        <BlockedTags form={form} />
      </Rule>
    </Group>
  );
}

const SECRETS: Readonly<Record<Settings["secrets"], string>> = {
  mask: "remove them",
  refuse: "refuse to save",
  allow: "save them",
};

function BlockedTags({ form }: { readonly form: RuleForm }) {
  const field = useId();
  return (
    <label htmlFor={field} className="tags">
      <span>One tag a line</span>
      <textarea
        id={field}
        dir="auto"
        rows={3}
        spellCheck={false}
        placeholder={"health\nmoney"}
        value={form.value("blocked_tags").join("\n")}
        aria-invalid={form.problem("blocked_tags") !== null}
        onChange={(event) => form.set("blocked_tags", linesOf(event.target.value))}
      />
    </label>
  );
}

function Room({ answer }: { readonly answer: RulesAnswer }) {
  const form = useRuleForm(answer, ["max_memories", "when_full", "expire_after"]);
  const counts = useEffects(form, answer);
  return (
    <Group title="How much, and for how long" form={form}>
      <AtMost form={form} counts={counts} />
      <WhenFull form={form} counts={counts} />
      <ForgottenAfter form={form} counts={counts} />
    </Group>
  );
}

interface RoomPart {
  readonly form: RuleForm;
  readonly counts: Counts;
}

function AtMost({ form, counts }: RoomPart) {
  return (
    <Rule
      form={form}
      name="max_memories"
      title="At most"
      what="How many memories there may be, those that wait included. An import adds what fits and tells you about the rest. Taking something out of the trash is never refused."
      usually={inFigures(form.usual("max_memories"))}
      effect={told(counts, counts.now, (effects) =>
        maxMemoriesWords(form.value("max_memories"), effects),
      )}
    >
      <NumberField
        label="At most"
        unit="memories"
        value={form.value("max_memories")}
        isInvalid={form.problem("max_memories") !== null}
        set={(value) => form.set("max_memories", value)}
      />
    </Rule>
  );
}

function WhenFull({ form, counts }: RoomPart) {
  return (
    <Rule
      form={form}
      name="when_full"
      title="When that is reached"
      what="What happens to the next memory that an assistant wants to save."
      usually={form.usual("when_full") === "refuse" ? "refuse it" : "make room"}
      effect={
        form.problem("max_memories") !== null
          ? null
          : told(counts, counts.now, (effects) =>
              whenFullWords(
                { when_full: form.value("when_full"), max_memories: form.value("max_memories") },
                effects,
              ),
            )
      }
      follows={["max_memories"]}
    >
      <OneOfFew
        label="When that is reached"
        value={form.value("when_full")}
        choose={(value) => form.set("when_full", value)}
        options={[
          ["refuse", "Refuse it", "The assistant names three you would miss least."],
          [
            "trash_least_useful",
            "Make room",
            "The one you would miss least goes to the trash: outdated first, then the least important, then the oldest.",
          ],
        ]}
      />
    </Rule>
  );
}

function ForgottenAfter({ form, counts }: RoomPart) {
  return (
    <Rule
      form={form}
      name="expire_after"
      title="Forgotten after"
      what="Days until memories of a kind are no longer used. For what is saved or imported from then on; what is there keeps its date. Nothing: never."
      usually={expiryText(form.usual("expire_after"))}
      effect={told(counts, counts.of("expire_after"), (effects) =>
        expiryWords(form.value("expire_after"), effects, {
          isDraft: form.draft.expire_after !== undefined,
        }),
      )}
    >
      <div className="categories">
        {CATEGORIES.map((category) => (
          <Days key={category} form={form} category={category} />
        ))}
      </div>
    </Rule>
  );
}

function Days({ form, category }: { readonly form: RuleForm; readonly category: Category }) {
  const field = useId();
  const { [category]: days, ...others } = form.value("expire_after");
  return (
    <div className="days">
      <label htmlFor={field}>{categoryName(category)}</label>
      <input
        id={field}
        type="number"
        inputMode="numeric"
        min={1}
        placeholder="never"
        value={days === undefined || Number.isNaN(days) ? "" : days}
        aria-invalid={form.problem("expire_after") !== null && days !== undefined}
        onChange={({ target }) =>
          form.set(
            "expire_after",
            target.value === "" && !target.validity.badInput
              ? others
              : { ...others, [category]: target.valueAsNumber },
          )
        }
      />
      <span aria-hidden="true">days</span>
    </div>
  );
}

function Finding({ answer }: { readonly answer: RulesAnswer }) {
  const form = useRuleForm(answer, ["deduplication", "relevance_threshold"]);
  return (
    <Group title="Repeats and search" form={form}>
      <SaidTwice form={form} />
      <LeftOut form={form} />
    </Group>
  );
}

function SaidTwice({ form }: { readonly form: RuleForm }) {
  return (
    <Rule
      form={form}
      name="deduplication"
      title="The same thing said twice"
      what="When an assistant saves what is there already, word for word but for spelling."
      usually={DEDUPLICATION[form.usual("deduplication")]}
      effect={DEDUPLICATION_WORDS[form.value("deduplication")]}
    >
      <OneOfFew
        label="The same thing said twice"
        value={form.value("deduplication")}
        choose={(value) => form.set("deduplication", value)}
        options={[
          ["on", "Keep one", "The assistant is told that it is known."],
          ["report", "Keep both, and say so", "The answer names the other one."],
          ["off", "Keep both", "Nothing is compared."],
        ]}
      />
    </Rule>
  );
}

function LeftOut({ form }: { readonly form: RuleForm }) {
  const threshold = form.value("relevance_threshold");
  const [question, setQuestion] = useState("");
  const fits = useFits(question, threshold);
  const field = useId();
  return (
    <Rule
      form={form}
      name="relevance_threshold"
      title="What a search leaves out"
      what="How well a memory must fit a question, where the search does not say so itself. At 0 nothing is left out and the best come first."
      usually={inFigures(form.usual("relevance_threshold"))}
      effect={
        fits === "failed" ? FAILED_WORDS : fits === null ? null : relevanceWords(threshold, fits)
      }
    >
      <label className="range">
        <span className="sr-only">Least relevance, from 0 to 1</span>
        <input
          type="range"
          min={0}
          max={1}
          step={0.05}
          value={threshold}
          onChange={(event) => form.set("relevance_threshold", event.target.valueAsNumber)}
        />
        <output>{inFigures(threshold)}</output>
      </label>
      <label htmlFor={field} className="try">
        <span>Try it with a question</span>
        <input
          id={field}
          type="search"
          value={question}
          maxLength={1_000}
          placeholder="Such as: what does she eat?"
          // It is no part of what is saved.
          onKeyDown={(event) => (event.key === "Enter" ? event.preventDefault() : undefined)}
          onChange={({ target }) => setQuestion(target.value)}
        />
      </label>
    </Rule>
  );
}

const DEDUPLICATION: Readonly<Record<Settings["deduplication"], string>> = {
  on: "keep one",
  report: "keep both, and say so",
  off: "keep both",
};

function autoSaveText(value: Settings["auto_save"]): string {
  if (value === "all") return "anything";
  return value.length === 0 ? "only what you ask for" : value.map(categoryName).join(", ");
}

function expiryText(days: Settings["expire_after"]): string {
  const parts = CATEGORIES.flatMap((category) => {
    const count = days[category];
    return count === undefined ? [] : [`${categoryName(category)} ${counted(count, "day")}`];
  });
  return parts.length === 0 ? "never" : parts.join(", ");
}

/** @param effects null: not known yet */
function told(
  { hasFailed }: Counts,
  effects: Effects | null,
  words: (effects: Effects) => ReactNode,
): ReactNode {
  if (effects !== null) return words(effects);
  return hasFailed ? FAILED_WORDS : null;
}

/** Lines as they are typed: the empty one at the end is where the next tag comes. */
function linesOf(text: string): string[] {
  return text === "" ? [] : text.split("\n");
}
