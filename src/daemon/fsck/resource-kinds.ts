import { policyKind } from '../../api/iam-policy.ts'
import { operationKind } from '../../api/operations.ts'
import { accountKeyKind } from '../../metadata/account-keys.ts'
import type { ResourceKind } from '../../state/resource-kind.ts'
import { offers } from '../catalog.ts'
import { projectKind } from '../projects.ts'

/** Every kind whose rows more is known of than that they are text, each from the room that keeps it. */
export const resourceKinds: readonly ResourceKind<unknown>[] = [
  projectKind,
  policyKind,
  operationKind,
  accountKeyKind,
  ...offers.flatMap(({ kinds = [] }) => kinds),
]
