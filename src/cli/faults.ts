import type { Code } from '../base/cloud-error.ts'
import type { Fault } from '../base/fault.ts'

/** The faults of devcloud's own naming: every `fault` of a CloudError in src/. */
export const faults: Readonly<Record<string, Fault>> = {
  // The command line
  USAGE: {
    means: 'The command line is wrong: an argument, a flag or its value.',
    todo: 'Correct it as the message says. `devcloud help COMMAND` lists the arguments and flags of a command.',
    exit: 'usage',
  },
  NOT_EMULATED: {
    means: 'gcloud has this flag, and devcloud does not emulate it.',
    todo: 'Leave the flag out on this machine. docs/terminal.md lists the flags that are refused.',
    exit: 'usage',
  },
  NO_PROJECT: {
    means: 'No project belongs to this folder, or no project has this name.',
    todo: 'Run `devcloud up` in the folder of the project, or name one that `devcloud status` lists: `--project PROJECT`.',
    exit: 'usage',
  },
  INTERRUPTED: {
    means: 'Ctrl-C ended the command. What the daemon had begun for it goes on.',
    todo: 'Run `devcloud status` to see what was made, and the same command again to go on.',
    exit: 'interrupted',
  },
  TASKS_FAILED: {
    means: 'The execution of a job ended, and at least one of its tasks failed in every attempt.',
    todo: 'Read the output of the tasks: `devcloud logs JOB`.',
  },

  // The files of a project
  CONFIG_INVALID: {
    means:
      'A file of the project (devcloud.yaml, service.yaml, job.yaml) has problems. Each line names the file, the line and the problem.',
    todo: 'Correct the lines, then run `devcloud up` again. Nothing was changed meanwhile.',
    exit: 'configuration',
  },
  NO_FOLDER: { means: 'The folder that was named does not exist.', todo: 'Name the folder of the project: `devcloud up FOLDER`.' },
  NO_SERVICE: {
    means: 'No file in the folder says what to run.',
    todo: 'Add a Dockerfile, a service.yaml, a job.yaml, a Procfile with a `web:` line, a package.json with a `start` script, or `services:` in devcloud.yaml.',
    exit: 'configuration',
  },
  NO_SOURCE: {
    means: 'The folder of `devcloud run deploy --source` has no Dockerfile; buildpacks are not emulated.',
    todo: 'Add a Dockerfile. With `--engine process` a Procfile or a `start` script in package.json is enough.',
    exit: 'configuration',
  },
  NO_COMMAND: {
    means: 'The process engine finds no command that starts the application.',
    todo: 'Add a `start` script to package.json, or a Procfile with a `web:` line.',
    exit: 'configuration',
  },
  PROJECT_TAKEN: {
    means: 'Another folder runs a project of the same name.',
    todo: 'Set another `project:` in devcloud.yaml, or remove the other project: `devcloud clean --project PROJECT`.',
    exit: 'configuration',
  },
  SECRET_UNREADABLE: {
    means:
      'A revision, job or worker pool needs a secret that does not exist, has no such version, or is not granted to its service account.',
    todo: 'Give the secret a first value under `secrets:` in devcloud.yaml, or add a version: `gcloud secrets versions add SECRET --data-file=FILE`.',
    exit: 'configuration',
  },
  COMPOSE_INVALID: {
    means: 'compose/postgres.yaml of the project says what devcloud cannot read, or what it does not follow.',
    todo: 'Correct the file at the place that the message names.',
  },

  // Starting the application
  BUILD_FAILED: {
    means: 'The image could not be built, or the dependencies could not be installed. The last lines of the build follow.',
    todo: 'Correct the Dockerfile at the line that the message names, then run `devcloud up` again.',
  },
  IMAGE_UNKNOWN: {
    means:
      'The engine cannot run the image: it is neither on this machine nor in a registry that answers, or the engine is the process engine.',
    todo: 'Correct the name of the image, fetch it with `docker pull IMAGE`, or build the folder instead. Images need the docker engine.',
    exit: 'engine',
  },
  APP_CRASHED: {
    means: 'The application ended by itself, or was killed: while it started, or soon after. The last lines that it wrote follow.',
    todo: 'Read what it wrote: `devcloud logs SERVICE`.',
  },
  NOT_LISTENING: {
    means: 'The application runs, but it did not listen on its port, or its startup probe did not succeed, in time.',
    todo: 'Listen on the port that the variable PORT names, and on 0.0.0.0, not on 127.0.0.1.',
    exit: 'notReady',
  },
  NO_INSTANCE: {
    means: 'No instance could take the request: the limits are reached, or instances start too late.',
    todo: 'Raise the maximum of instances or the concurrency, or read `devcloud logs SERVICE` to see why instances start late.',
  },
  BEFORE_FAILED: {
    means: 'A command of `before:` in devcloud.yaml failed, so the new revision was not started. The old revision goes on serving.',
    todo: 'Run the command by hand until it succeeds: `devcloud run SERVICE -- COMMAND`.',
  },
  EXECUTION_FAILED: {
    means: 'The execution of a job ended, and at least one of its tasks failed in every attempt.',
    todo: 'Read the output of the tasks: `devcloud logs JOB`.',
  },

  // Engines, ports and the machine
  DOCKER_UNREACHABLE: {
    means: 'Neither Docker nor Podman answers.',
    todo: 'Start Docker, or run without containers: `devcloud up --engine process`.',
    exit: 'engine',
  },
  ENGINE_CHANGED: {
    means: 'The project already runs on the other engine.',
    todo: 'Leave `--engine` out, or remove the project first: `devcloud clean --project PROJECT`.',
    exit: 'engine',
  },
  NETWORK_POOL_EMPTY: {
    means: "Docker has no subnet left for the project's network.",
    todo: 'Remove networks that nothing uses: `docker network prune`.',
  },
  PORT_TAKEN: {
    means: 'Another program listens on the port that devcloud needs. The message names the program where it can be seen.',
    todo: 'Stop that program, or choose another port: `DEVCLOUD_PORT=8081 devcloud up`.',
    exit: 'engine',
  },
  DISK_FULL: {
    means: 'The disk of the state directory is full. Reads and deletes go on; what adds is refused.',
    todo: 'Free space there, or remove a project: `devcloud clean`. Then try again.',
    exit: 'engine',
  },
  DISK_FAILED: {
    means: 'The disk of the state directory gave an error. Reads go on; this daemon writes nothing more.',
    todo: 'Look at the disk, then run `devcloud daemon stop && devcloud fsck`.',
    exit: 'engine',
  },

  // The daemon and its state
  DAEMON_ABSENT: {
    means: 'No daemon runs.',
    todo: 'Start it: `devcloud daemon start`. Most commands start it by themselves.',
    exit: 'engine',
  },
  DAEMON_BUSY: {
    means: 'The daemon runs, but it has answered nobody for more than a second. The lines that follow are what it does.',
    todo: 'Wait, or end it as the message says: the next daemon takes over what runs.',
  },
  DAEMON_FAILED: {
    means: 'The daemon did not start, did not end, or ended while a command was under way.',
    todo: 'Run `devcloud daemon start`. What the daemon wrote last stands in daemon.log in the state directory.',
    exit: 'engine',
  },
  STATE_LOCKED: {
    means: 'Another daemon has the state directory open.',
    todo: 'Use that daemon (`devcloud daemon status`), or stop it: `devcloud daemon stop`.',
    exit: 'engine',
  },
  STATE_UNUSABLE: {
    means: 'The state directory cannot be used: it is missing, read-only, of another user, or a file in it is not what it has to be.',
    todo: 'Make it writable for you, or choose another one: `DEVCLOUD_STATE_DIR=FOLDER devcloud up`.',
    exit: 'engine',
  },
  STATE_UNWRITABLE: {
    means: 'The database of the state could not be written. Nothing that was acknowledged is lost.',
    todo: 'Run `devcloud daemon stop && devcloud fsck`.',
    exit: 'engine',
  },
  STATE_DAMAGED: {
    means: 'The database of the state is damaged. It was left as it is.',
    todo: 'Run `devcloud fsck` to see what is wrong, then `devcloud fsck --repair` to go on with the newest backup.',
    exit: 'engine',
  },
  STATE_NEWER: {
    means: 'A newer devcloud wrote the state. Nothing was changed.',
    todo: 'Use that version, or choose another folder: `DEVCLOUD_STATE_DIR=FOLDER devcloud up`.',
    exit: 'engine',
  },
  STATE_UNKNOWN: {
    means: 'The database is new or another one, and data that it does not know stands beside it. Nothing was changed.',
    todo: 'Run `devcloud fsck`: it tells what was found and what can be done.',
    exit: 'engine',
  },
  ROW_UNREADABLE: {
    means: 'A resource in the state cannot be read. The others go on.',
    todo: 'Run `devcloud daemon stop && devcloud fsck`.',
  },
  NOT_CLEAN: {
    means: '`devcloud clean` could not remove everything. The lines that follow name what is left and why.',
    todo: 'Mend what the lines name, then run the same `devcloud clean` again.',
  },

  // Cloud SQL
  POSTGRES_MISSING: {
    means: 'There are no Postgres binaries for this platform.',
    todo: 'Start Docker: devcloud then uses the postgres image.',
  },
  POSTGRES_FAILED: {
    means: 'A Postgres server did not start, or does not answer. The last lines that it wrote follow.',
    todo: 'Run `devcloud doctor`. Where the project has a compose/postgres.yaml, look at that file too.',
  },
  POSTGRES_DATA_GONE: {
    means: 'The data of a Cloud SQL instance was removed or emptied by hand. devcloud does not answer with an empty database.',
    todo: 'Put the data back, or give the instance up: `gcloud sql instances delete INSTANCE`.',
  },
  POSTGRES_MAJOR: {
    means: 'The data of a Cloud SQL instance is of another major version of Postgres than its server. The data was left as it is.',
    todo: 'Dump the data with its own version, and load the dump into a new instance.',
  },
  SQL_FAILED: { means: 'Postgres refused a statement. The message is its own.', todo: 'Correct what the message names.' },
}

/** Google's own codes. They name a fault that has no name of devcloud's. Source: google/rpc/code.proto. */
export const googleCodes: Readonly<Record<Code, Fault>> = {
  CANCELLED: { means: 'The caller ended the request.', todo: 'Send the request again if you still need it.' },
  UNKNOWN: { means: 'The call failed, and what failed did not say how.', todo: 'Read `devcloud logs` and `devcloud doctor`.' },
  INVALID_ARGUMENT: {
    means: 'The request says something that it may not say, whatever the state.',
    todo: 'Correct the field that the message names.',
  },
  DEADLINE_EXCEEDED: {
    means: 'The time for the call ended before it was done.',
    todo: 'Allow more time, or read `devcloud logs` to see what took it.',
  },
  NOT_FOUND: { means: 'The resource does not exist.', todo: 'Check the name and the project: `devcloud status`.' },
  ALREADY_EXISTS: { means: 'A resource of this name exists.', todo: 'Use it, choose another name, or delete it first.' },
  PERMISSION_DENIED: {
    means:
      'The caller is known and may not do this. A project has no authority in another project unless a policy there names its account.',
    todo: 'Grant the role, or call as an account of the project that owns the resource.',
  },
  RESOURCE_EXHAUSTED: {
    means: 'A limit is reached: instances, requests, bytes or the disk.',
    todo: 'Raise the limit that the message names, or free some of it.',
  },
  FAILED_PRECONDITION: {
    means: 'The resource is in a state in which this cannot be done.',
    todo: 'Bring it into the state that the message names, then try again.',
  },
  ABORTED: {
    means: 'Somebody else changed the resource meanwhile: the etag of the request is an old one.',
    todo: 'Read the resource again, then send the change with the new etag.',
  },
  OUT_OF_RANGE: { means: 'The request asks for what lies behind the end.', todo: 'Ask for less.' },
  UNIMPLEMENTED: {
    means: 'devcloud does not emulate this method, field or product. Nothing was done, and nothing left the machine.',
    todo: 'Leave it out on this machine. The README of each product lists what it refuses: src/products/PRODUCT/README.md.',
  },
  INTERNAL: { means: 'A fault of devcloud itself.', todo: 'Run `devcloud doctor`; daemon.log in the state directory has the details.' },
  UNAVAILABLE: { means: 'What should answer does not answer now.', todo: 'Try again. When that does not help: `devcloud doctor`.' },
  DATA_LOSS: { means: 'Data on the disk is damaged or gone.', todo: 'Run `devcloud daemon stop && devcloud fsck`.' },
  UNAUTHENTICATED: {
    means: 'The call carries no token that this devcloud made, or one that is over.',
    todo: 'Run `eval "$(devcloud env)"` in this shell, or use a token of `devcloud auth print-access-token`.',
  },
}
