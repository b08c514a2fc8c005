import * as z from 'zod'

/** Source: cloud.google.com/storage/docs/storage-classes; the last three are old names that are still taken. */
const classes = ['STANDARD', 'NEARLINE', 'COLDLINE', 'ARCHIVE', 'MULTI_REGIONAL', 'REGIONAL', 'DURABLE_REDUCED_AVAILABILITY'] as const

export const storageClass = z.string().toUpperCase().pipe(z.enum(classes))
