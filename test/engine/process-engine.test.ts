import { openLog } from '../../src/base/log.ts'
import { openProcessEngine } from '../../src/engine/process/process-engine.ts'
import { conformance } from './conformance.ts'

conformance('process engine', (stateDirectory) => openProcessEngine({ stateDirectory, log: openLog(undefined) }))
