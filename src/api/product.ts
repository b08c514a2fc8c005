import type { DescService } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Fault } from '../base/fault.ts'
import type { Section } from '../config/section.ts'
import type { ResourceKind } from '../state/resource-kind.ts'
import type { ProductPlan, Site } from './product-plan.ts'

/** What is known of a product before it is opened. */
export interface ProductOffer {
  /** The id that a user types: `secretmanager`. */
  readonly name: string
  /** Its part of devcloud.yaml; the product's `plan` makes what that part wants. */
  readonly section?: Section
  /** Kinds of resources in its rows, for `devcloud fsck` and the check at a start. */
  readonly kinds?: readonly ResourceKind<unknown>[]
  /** What `devcloud explain` says of the faults of the product (`CloudError.fault`). */
  readonly faults?: Readonly<Record<string, Fault>>
  /** Names in Service Usage, with their titles: what `gcloud services enable` takes. */
  readonly apis?: Readonly<Record<string, string>>
  /** Variables that lead the product's clients to an endpoint instead of a proxy. @param base `http://localhost:8080`, without a slash at its end */
  endpoints?(base: string): Readonly<Record<string, string>>
}

/** One Google product: what it is called, which hosts are its own, and what answers there. */
export interface Product extends ProductOffer, AsyncDisposable {
  /** Google's host names that it answers for: `secretmanager.googleapis.com`. A leading `*.` stands for one label or more. */
  readonly hosts: readonly string[]
  /** Proto services and what implements them: api/ serves each over gRPC and REST. */
  readonly services: readonly Service[]
  /** Routes that the protos lack, mounted under `hosts` and on the endpoints port. They stream; never a whole body in memory. */
  readonly wires?: FastifyPluginAsync
  /** Answers a request for the wires that is refused before it comes to a route: its URL is malformed. Google's common envelope without it. */
  readonly refuse?: (request: FastifyRequest, reply: FastifyReply, error: unknown) => FastifyReply | Promise<FastifyReply>
  /**
   * Observes what there is of `wanted`, as the section read it, and plans the steps from there. Changes nothing.
   * @throws CloudError CONFIG_INVALID where the product would refuse what the files say
   */
  plan?(wanted: unknown, site: Site): Promise<ProductPlan>
  /** At the daemon's start: what is meant to run runs again. What does not start is logged, and started when it is needed. */
  startAll?(): Promise<void>
  /** Takes requests for `project` again and starts what runs without being asked. Idempotent. */
  startProject?(project: string, signal: AbortSignal): Promise<void>
  /** Stops what runs for `project`; resources and data stay. Answers what was stopped, for people: `2 instances`; empty for nothing. */
  stopProject?(project: string): Promise<string>
  /** What it has of `project`, for `devcloud status`. */
  list?(project: string): Promise<readonly Listed[]>
  /** Ids of the projects that it holds something of, those included that nobody ran `devcloud up` for. */
  projects?(): readonly string[]
  /**
   * Removes all that it has of `project`, an id: what runs, rows and files, whatever protects them and however far they were made. Rows of
   * the collections that are named `projects/ID/...` or `projects/NUMBER/...` go afterwards by themselves. Idempotent.
   */
  removeProject?(project: string): Promise<void>
  /** The wires decide by themselves who may call, since some of what they answer is public. Else nobody passes without a name. */
  readonly answersAnyone?: true
}

/** A resource, in a line of `devcloud status`. */
export interface Listed {
  /** `bucket` */
  readonly kind: string
  readonly id: string
  /** `ready`, where the resource has states. */
  readonly state?: string
  /** What a browser on this machine opens. */
  readonly url?: string
  /** What else is to be told of it. */
  readonly detail?: string
  /** The region of what is told apart by regions. */
  readonly region?: string
}

export interface Service {
  readonly descriptor: DescService
  readonly implementation: Partial<ServiceImpl<DescService>>
  /** REST paths beside those of the proto, where Google's service configuration adds some. */
  readonly rest?: readonly RestBinding[]
}

/** One google.api.HttpRule. */
export interface RestBinding {
  /** The method's local name: `getOperation`. */
  readonly method: string
  readonly verb: string
  readonly path: string
  /** `*`, or the field that the body is; absent when there is none. */
  readonly body?: string
}

/** A service with its handlers' types checked, which are then forgotten. A method that is left out answers UNIMPLEMENTED by name. */
export function service<T extends DescService>(descriptor: T, implementation: Partial<ServiceImpl<T>>): Service {
  return { descriptor, implementation: implementation as Partial<ServiceImpl<DescService>> }
}
