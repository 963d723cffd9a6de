import type { IdentityProvider } from "./providers.ts";

/**
 * Buttons of a form that leave for a provider, without a script. The form holds `next`; of its other fields none has to be filled in.
 * @param verb as in `Sign in with GitHub`
 */
export function ProviderButtons({
  providers,
  action,
  verb,
}: {
  readonly providers: readonly IdentityProvider[];
  readonly action: "/sign-in" | "/sign-up";
  readonly verb: string;
}) {
  return (
    <>
      {providers.map(({ id, name }) => (
        <button
          class="wide provider"
          formaction={`${action}/${id}`}
          formmethod="post"
          formnovalidate
        >
          {verb} with <bdi>{name}</bdi>
        </button>
      ))}
    </>
  );
}

/** Between the passkey, which comes first, and them. */
export function Or() {
  return <p class="or">or</p>;
}
