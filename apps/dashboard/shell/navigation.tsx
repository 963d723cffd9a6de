import { person } from "../person.ts";
import { ROUTES } from "../routes.ts";
import { Icon } from "./icon.tsx";
import { ModeSwitch } from "./mode-switch.tsx";
import { Link, usePathname } from "./router.tsx";

/** The pages, and below them what belongs to the person: beside the page where there is room, else in a drawer. */
export function Navigation({ onOpen }: { readonly onOpen?: () => void }) {
  const pathname = usePathname();
  return (
    <>
      <nav aria-label="Main" className="nav">
        <ul>
          {ROUTES.map(({ path, entry }) =>
            entry === null ? null : (
              <li key={path}>
                <Link
                  to={path}
                  onClick={onOpen}
                  aria-current={isWithin(pathname, path) ? "page" : undefined}
                >
                  <Icon name={entry.icon} />
                  {entry.name}
                </Link>
              </li>
            ),
          )}
        </ul>
      </nav>
      <div className="nav-foot">
        <ModeSwitch />
        <form method="post" action="/sign-out" className="nav-person">
          <bdi title={person.name}>{person.name}</bdi>
          <button className="quiet">Sign out</button>
        </form>
      </div>
    </>
  );
}

/** A memory belongs to the entry of the memories. */
function isWithin(pathname: string, path: string): boolean {
  return pathname === path || (path !== "/" && pathname.startsWith(`${path}/`));
}
