import { useQuery } from "@tanstack/react-query";
import { answerOf } from "../api.ts";
import { account, KEYS } from "./account.ts";

/** Who the person is here, and whether the account is to be deleted. */
export function useProfile() {
  return useQuery({
    queryKey: KEYS.profile,
    queryFn: () => answerOf(account.index.$get()),
  });
}
