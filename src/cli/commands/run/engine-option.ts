import { Option, type Command } from 'commander'

/** The one option that gcloud lacks: what runs a project that is new. */
export function addEngineOption(command: Command): Command {
  return command.addOption(new Option('--engine <kind>', 'of a new project').choices(['auto', 'docker', 'process']).default('auto'))
}
