import { StepCard } from "./step-card.tsx";

/** A pasted list is on its way: one request, which a long list keeps for some seconds. */
export function ListStep({ dryRun }: { readonly dryRun: boolean }) {
  const title = dryRun ? "Checking your list" : "Importing your list";
  return (
    <StepCard title={title}>
      <progress aria-label={title} className="import-progress" />
    </StepCard>
  );
}
