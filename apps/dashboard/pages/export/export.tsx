import { Page as Frame } from "../../shell/page.tsx";
import { BackupsCard } from "./backups-card.tsx";
import { ExportsCard } from "./exports-card.tsx";
import { IntegrityCard } from "./integrity-card.tsx";
import { NewExport } from "./new-export.tsx";
import "../../styles/export.css";

/** The account as files, and its backups. */
export function Page() {
  return (
    <Frame
      title="Export"
      lead="Take everything with you as a file, and go back to how things were."
    >
      <NewExport />
      <ExportsCard />
      <BackupsCard />
      <IntegrityCard />
    </Frame>
  );
}
