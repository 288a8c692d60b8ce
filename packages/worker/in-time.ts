/** Rejects when `work` is not over after `ms`. What it brings after that goes to `tooLate`. */
export async function inTime<T>(
  ms: number,
  work: Promise<T>,
  tooLate: (value: T) => void = () => {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  work.then(
    (value) => late && tooLate(value),
    () => {},
  );
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      late = true;
      reject(new Error(`No answer within ${ms} ms.`));
    }, ms);
  });
  try {
    return await Promise.race([work, end]);
  } finally {
    clearTimeout(timer);
  }
}
