import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { CATEGORIES, type Category } from "../../../../src/storage/closed-lists.ts";
import { answerOf, api } from "../../api.ts";
import { findPlace, Link } from "../../shell/router.tsx";
import { counted, inFigures } from "../../words/amounts.ts";
import { useRuleForm, type RuleForm, type RulesAnswer, type Settings } from "./rule-form.ts";
import { categoryName, Choice, Group, NumberField, Rule } from "./rule.tsx";

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
  const { data: stats } = useStats();
  const waiting = stats?.memories.pending ?? 0;
  return (
    <Group title="Saving without asking" form={form}>
      <Rule
        form={form}
        name="auto_save"
        title="What assistants save on their own"
        what="Anything else waits for your review and is not found until then, unless you asked for it to be saved. What you save yourself never waits."
        usually={autoSaveText(form.usual("auto_save"))}
        effect={waiting === 0 ? undefined : <WaitingText count={waiting} />}
      >
        <AutoSave form={form} />
      </Rule>
      <Rule
        form={form}
        name="imports"
        title="Imported memories"
        what="Memories that come in a file from another assistant. Conversations never wait."
        usually={form.usual("imports") === "active" ? "used at once" : "wait for your review"}
      >
        <Choice
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
      <Choice
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

function WaitingText({ count }: { readonly count: number }) {
  const text = `${counted(count, "memory waits", "memories wait")} for your review now.`;
  return findPlace("/memories") === null ? text : <Link to="/memories?status=pending">{text}</Link>;
}

function KeptOut({ answer }: { readonly answer: RulesAnswer }) {
  const form = useRuleForm(answer, ["secrets", "blocked_tags"]);
  return (
    <Group title="What is kept out" form={form}>
      <Rule
        form={form}
        name="secrets"
        title="Passwords and keys"
        what="Keys of services, access tokens, private keys and passwords in addresses, where they are recognised. Imported conversations stay as they are."
        usually={SECRETS[form.usual("secrets")]}
      >
        <Choice
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
  const { data: stats } = useStats();
  return (
    <Group title="How much, and for how long" form={form}>
      <Rule
        form={form}
        name="max_memories"
        title="At most"
        what="How many memories there may be, those that wait included. An import adds what fits and tells you about the rest. Taking something out of the trash is never refused."
        usually={inFigures(form.usual("max_memories"))}
        effect={
          stats === undefined || form.problem("max_memories") !== null ? undefined : (
            <UsedText used={stats.quota.memories_used} most={form.value("max_memories")} />
          )
        }
      >
        <NumberField
          label="At most"
          unit="memories"
          value={form.value("max_memories")}
          isInvalid={form.problem("max_memories") !== null}
          set={(value) => form.set("max_memories", value)}
        />
      </Rule>
      <Rule
        form={form}
        name="when_full"
        title="When that is reached"
        what="What happens to the next memory that an assistant wants to save."
        usually={form.usual("when_full") === "refuse" ? "refuse it" : "make room"}
      >
        <Choice
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
      <Rule
        form={form}
        name="expire_after"
        title="Forgotten after"
        what="Days until memories of a kind are no longer used. For what is saved or imported from then on; what is there keeps its date. Nothing: never."
        usually={expiryText(form.usual("expire_after"))}
      >
        <div className="categories">
          {CATEGORIES.map((category) => (
            <Days key={category} form={form} category={category} />
          ))}
        </div>
      </Rule>
    </Group>
  );
}

function UsedText({ used, most }: { readonly used: number; readonly most: number }) {
  const now = `You have ${counted(used, "memory", "memories")} now.`;
  return most <= used
    ? `${now} With this nothing is deleted, but the next one finds no room.`
    : now;
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
  const threshold = form.value("relevance_threshold");
  return (
    <Group title="Repeats and search" form={form}>
      <Rule
        form={form}
        name="deduplication"
        title="The same thing said twice"
        what="When an assistant saves what is there already, word for word but for spelling."
        usually={DEDUPLICATION[form.usual("deduplication")]}
      >
        <Choice
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
      <Rule
        form={form}
        name="relevance_threshold"
        title="What a search leaves out"
        what="How well a memory must fit a question, where the search does not say so itself. At 0 nothing is left out and the best come first."
        usually={inFigures(form.usual("relevance_threshold"))}
        effect={threshold > 0.7 ? "Above 0.7 right answers are lost too." : undefined}
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
      </Rule>
    </Group>
  );
}

const DEDUPLICATION: Readonly<Record<Settings["deduplication"], string>> = {
  on: "keep one",
  report: "keep both, and say so",
  off: "keep both",
};

function useStats() {
  return useQuery({ queryKey: ["stats"], queryFn: () => answerOf(api.stats.$get()) });
}

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

/** Lines as they are typed: the empty one at the end is where the next tag comes. */
function linesOf(text: string): string[] {
  return text === "" ? [] : text.split("\n");
}
