import type { InferResponseType } from "hono/client";
import { useState } from "react";
import { account, noOperation } from "../../account/account.ts";
import { answerOf } from "../../api.ts";
import { useChange } from "../../changes/change.ts";
import { Card } from "../../shell/page.tsx";
import { Unsaved } from "../../shell/unsaved.tsx";

type Profile = InferResponseType<typeof account.index.$get>;

/** Name, time zone and language. */
export function ProfileForm({ profile }: { readonly profile: Profile }) {
  const [name, setName] = useState(profile.name);
  const [timeZone, setTimeZone] = useState(profile.time_zone);
  const [locale, setLocale] = useState(profile.locale);
  const change = {
    ...(name.trim() === profile.name ? {} : { name: name.trim() }),
    ...(timeZone === profile.time_zone ? {} : { time_zone: timeZone }),
    ...(locale === profile.locale ? {} : { locale }),
  };
  const isChanged = Object.keys(change).length > 0;
  const save = useChange({
    make: (json: typeof change) => answerOf(account.index.$patch({ json })).then(noOperation),
    say: () => "Saved.",
  });
  // Before it is read again: the page may be loaded anew then, and has nothing to ask.
  const isSaved = save.isSuccess && JSON.stringify(save.variables) === JSON.stringify(change);
  return (
    <Card title="You">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(change, {
            onSuccess: () => {
              // The document says them to every page.
              if ("name" in change || "time_zone" in change) location.reload();
            },
          });
        }}
      >
        <div className="profile-fields">
          {profile.signs_in ? (
            <label>
              Name
              <input
                value={name}
                autoComplete="name"
                maxLength={60}
                required
                onChange={({ target }) => setName(target.value)}
              />
            </label>
          ) : null}
          <label>
            Time zone
            <select value={timeZone} onChange={({ target }) => setTimeZone(target.value)}>
              {timeZones(profile.time_zone).map((zone) => (
                <option key={zone} value={zone}>
                  {zone.replaceAll("_", " ")}
                </option>
              ))}
            </select>
            <small>For the times on these pages, and for words such as “last Tuesday”.</small>
          </label>
          <label>
            Language
            <select value={locale} onChange={({ target }) => setLocale(target.value)}>
              {languages(profile.locale).map(([tag, language]) => (
                <option key={tag} value={tag}>
                  {language}
                </option>
              ))}
            </select>
            <small>Kept for later: these pages are in English so far.</small>
          </label>
        </div>
        <div className="actions">
          <button disabled={save.isPending || !isChanged}>Save</button>
        </div>
      </form>
      <Unsaved isUnsaved={isChanged && !isSaved} />
    </Card>
  );
}

/** The browser's list lacks UTC and old names, one of which may be set. */
function timeZones(current: string): readonly string[] {
  return [...new Set(["UTC", current, ...Intl.supportedValuesOf("timeZone")])].sort();
}

/** Arbitrary: widely spoken ones, beside that of the account. */
const LANGUAGES =
  "ar bn ca cs cy da de el en en-GB en-US es et eu fa fi fr ga gl he hi hr hu id is it ja ko lt lv ms nb nl pl pt pt-BR ro ru sk sl sr sv sw ta te th tr uk ur vi zh zh-TW".split(
    " ",
  );

/** Each in its own words. */
function languages(current: string): readonly (readonly [tag: string, language: string])[] {
  return [...new Set([current, ...LANGUAGES])]
    .map((tag) => {
      const language = new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
      return [tag, language] as const;
    })
    .sort(([, a], [, b]) => a.localeCompare(b));
}
