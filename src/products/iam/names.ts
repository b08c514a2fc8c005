import { CloudError } from '../../base/cloud-error.ts'

export interface AccountName {
  /** As the client wrote it: id, number, or `-` for the account's own. */
  readonly project: string
  /** An email, or the 21 digits of a unique id. */
  readonly account: string
}

/** `projects/P/serviceAccounts/ACCOUNT`. @throws CloudError INVALID_ARGUMENT for another form */
export function readAccountName(name: string): AccountName {
  const [, project, account] = /^projects\/([^/]+)\/serviceAccounts\/([^/]+)$/.exec(name) ?? []
  if (project !== undefined && account !== undefined) return { project, account: account.toLowerCase() }
  throw malformed(name, 'projects/*/serviceAccounts/*')
}

/** `projects/P/serviceAccounts/ACCOUNT/keys/KEY`. @throws CloudError INVALID_ARGUMENT for another form */
export function readKeyName(name: string): { readonly account: string; readonly key: string } {
  const [, account, key] = /^(projects\/[^/]+\/serviceAccounts\/[^/]+)\/keys\/([^/]+)$/.exec(name) ?? []
  if (account !== undefined && key !== undefined) return { account, key }
  throw malformed(name, 'projects/*/serviceAccounts/*/keys/*')
}

/** `projects/P`. @throws CloudError INVALID_ARGUMENT for another form, and for what cannot be a project's id */
export function readProjectName(name: string): string {
  const [, project] = /^projects\/([^/]+)$/.exec(name) ?? []
  if (project !== undefined && project !== '-') return project
  throw malformed(name, 'projects/*')
}

export function emailOf(accountId: string, project: string): string {
  return `${accountId}@${project}.iam.gserviceaccount.com`
}

/** The account that a service runs as when it names none. */
export function defaultEmailOf(projectNumber: string): string {
  return `${projectNumber}-compute@developer.gserviceaccount.com`
}

/** @throws CloudError INVALID_ARGUMENT. Source: CreateServiceAccountRequest.account_id */
export function checkAccountId(id: string): void {
  if (/^[a-z](?:[-a-z0-9]{4,28})[a-z0-9]$/.test(id)) return
  throw invalid(`Account id "${id}" must be 6 to 30 characters long and match [a-z]([-a-z0-9]*[a-z0-9]).`)
}

export function invalid(message: string): CloudError {
  return new CloudError('INVALID_ARGUMENT', message, 'Correct the request.')
}

function malformed(name: string, pattern: string): CloudError {
  return invalid(`"${name}" does not match the pattern "${pattern}".`)
}
