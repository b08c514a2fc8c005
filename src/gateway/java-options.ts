import { javaRootsFile } from './java-key-store.ts'

/**
 * The value of JAVA_TOOL_OPTIONS. A JVM reads neither HTTPS_PROXY nor a PEM file. The folder at the front of the class path is for
 * `GoogleNetHttpTransport.newTrustedTransport()`, which trusts only the roots inside google-api-client: the folder replaces these roots.
 * @param rootsDirectory the path as the JVM sees it @param proxyPort the port of this machine's proxy; absent where Google's names need no proxy
 */
export function javaOptions(rootsDirectory: string, proxyPort?: number): string {
  const options = [`-Djavax.net.ssl.trustStore=${rootsDirectory}/${javaRootsFile}`, `-Xbootclasspath/a:${rootsDirectory}`]
  if (proxyPort !== undefined) options.unshift('-Dhttps.proxyHost=127.0.0.1', `-Dhttps.proxyPort=${proxyPort}`)
  return options.map((option) => (/\s/.test(option) ? `"${option}"` : option)).join(' ')
}
