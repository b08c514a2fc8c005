import com.google.gson.Gson;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs named cases one after another and prints for each a line of JSON: its name, and why it failed. */
final class Cases {
  private static final long SECONDS_EACH = 40;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  interface Case {
    void run() throws Exception;
  }

  void check(String name, Case body) {
    Future<?> running = threads.submit(() -> { body.run(); return null; });
    String failure = "";
    try {
      running.get(SECONDS_EACH, TimeUnit.SECONDS);
    } catch (TimeoutException late) {
      running.cancel(true);
      failure = "no end after " + SECONDS_EACH + " s";
    } catch (Exception error) {
      failure = wordsOf(error);
    }
    System.out.println(new Gson().toJson(Map.of("name", name, "failure", failure)));
  }

  static void same(Object expected, Object found) {
    boolean equal = expected instanceof byte[] bytes ? Arrays.equals(bytes, (byte[]) found) : Objects.equals(expected, found);
    if (!equal) throw new AssertionError("expected " + expected + ", found " + found);
  }

  static void isTrue(String what, boolean holds) {
    if (!holds) throw new AssertionError(what);
  }

  /** Waits for a refusal whose words hold all `words`. */
  static void refused(Callable<?> call, String... words) throws Exception {
    Object answer;
    try {
      answer = call.call();
    } catch (Exception error) {
      String told = wordsOf(error);
      for (String word : words) isTrue("not told \"" + word + "\" but: " + told, told.contains(word));
      return;
    }
    throw new AssertionError("not refused but answered: " + answer);
  }

  private static String wordsOf(Throwable error) {
    StringBuilder words = new StringBuilder();
    for (Throwable at = error; at != null; at = at.getCause()) words.append(at).append('\n');
    StackTraceElement[] stack = error.getCause() == null ? error.getStackTrace() : error.getCause().getStackTrace();
    for (StackTraceElement frame : stack) {
      if (frame.getClassName().endsWith("Cases") && !frame.getMethodName().equals("same")) words.append("at ").append(frame).append('\n');
    }
    return words.toString();
  }
}
