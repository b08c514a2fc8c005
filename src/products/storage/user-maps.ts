import { isLabelKey, isLabelValue, mostLabels } from '../../api/labels.ts'
import { stringMap } from '../../api/string-map.ts'

/** Source: cloud.google.com/storage/docs/tags-and-labels#bucket-labels. */
export const labels = stringMap().superRefine((map, context) => {
  const issue = (message: string) => context.addIssue({ code: 'custom', message })
  const entries = Object.entries(map)
  if (entries.length > mostLabels) issue(`A bucket may have at most ${mostLabels} labels.`)
  for (const [key, value] of entries) {
    if (!isLabelKey(key))
      issue(
        `The label key "${key.slice(0, 100)}" must be 1 to 63 lowercase letters, digits, dashes and underscores, and begin with a letter.`,
      )
    if (!isLabelValue(value))
      issue(`The value of the label "${key.slice(0, 100)}" must be at most 63 lowercase letters, digits, dashes and underscores.`)
  }
})

/** Of all keys and values. Source: cloud.google.com/storage/quotas#objects, "Custom metadata". */
const metadataLimitBytes = 8 << 10

export const metadata = stringMap().refine(
  (map) =>
    Object.entries(map).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0) <= metadataLimitBytes,
  `The total size of custom metadata keys and values must not exceed ${metadataLimitBytes} bytes.`,
)
