/** Programs that name nothing of devcloud: default clients, default credentials. */
public final class Main {
  public static void main(String[] products) throws Exception {
    Cases cases = new Cases();
    for (String product : products) {
      switch (product) {
        case "storage" -> StorageCases.run(cases);
        case "secretmanager" -> SecretManagerCases.run(cases);
        case "sql" -> SqlCases.run(cases);
        case "run" -> RunCases.run(cases);
        default -> throw new IllegalArgumentException(product);
      }
    }
    System.exit(0);
  }
}
