import { javaRootsFile } from './java-key-store.ts'

/**
 * What a JVM needs, which reads neither HTTPS_PROXY nor a PEM file: for JAVA_TOOL_OPTIONS. The folder before all classes is for
 * `GoogleNetHttpTransport.newTrustedTransport()`, which believes only the roots that google-api-client brings along: ours stand in their place.
 * @param rootsDirectory as the JVM sees it @param proxyPort where Google's names are led through the proxy of this machine
 */
export function javaOptions(rootsDirectory: string, proxyPort?: number): string {
  const options = [`-Djavax.net.ssl.trustStore=${rootsDirectory}/${javaRootsFile}`, `-Xbootclasspath/a:${rootsDirectory}`]
  if (proxyPort !== undefined) options.unshift('-Dhttps.proxyHost=127.0.0.1', `-Dhttps.proxyPort=${proxyPort}`)
  return options.map((option) => (/\s/.test(option) ? `"${option}"` : option)).join(' ')
}
