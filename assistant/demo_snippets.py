"""Program texts for `assistant.demo_code`, by task and programming language."""

SNIPPETS: dict[str, dict[str, str]] = {
    "hello_world": {
        "python": 'print("Hello, world!")',
        "javascript": 'console.log("Hello, world!");',
        "typescript": 'const greeting: string = "Hello, world!";\nconsole.log(greeting);',
        "go": 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("Hello, world!")\n}',
        "rust": 'fn main() {\n    println!("Hello, world!");\n}',
        "java": """
public class Hello {
    public static void main(String[] args) {
        System.out.println("Hello, world!");
    }
}""",
    },
    "fibonacci": {
        "python": """
from collections.abc import Iterator


def fibonacci() -> Iterator[int]:
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b""",
        "javascript": """
function* fibonacci() {
  let [a, b] = [0, 1];
  for (;;) {
    yield a;
    [a, b] = [b, a + b];
  }
}""",
        "typescript": """
function* fibonacci(): Generator<number> {
  let [a, b] = [0, 1];
  for (;;) {
    yield a;
    [a, b] = [b, a + b];
  }
}""",
        "go": """
func fibonacci(n int) []int {
	numbers := make([]int, 0, n)
	for a, b := 0, 1; len(numbers) < n; a, b = b, a+b {
		numbers = append(numbers, a)
	}
	return numbers
}""",
        "rust": """
fn fibonacci() -> impl Iterator<Item = u64> {
    std::iter::successors(Some((0, 1)), |&(a, b)| Some((b, a + b))).map(|(a, _)| a)
}""",
        "java": """
static LongStream fibonacci() {
    return Stream.iterate(new long[] {0, 1}, p -> new long[] {p[1], p[0] + p[1]})
            .mapToLong(p -> p[0]);
}""",
    },
    "fizzbuzz": {
        "python": """
for n in range(1, 101):
    print("Fizz" * (n % 3 == 0) + "Buzz" * (n % 5 == 0) or n)""",
        "javascript": """
for (let n = 1; n <= 100; n++) {
  console.log((n % 3 ? "" : "Fizz") + (n % 5 ? "" : "Buzz") || n);
}""",
        "typescript": """
for (let n = 1; n <= 100; n++) {
  const word: string = (n % 3 ? "" : "Fizz") + (n % 5 ? "" : "Buzz");
  console.log(word || n);
}""",
        "go": """
for n := 1; n <= 100; n++ {
	switch {
	case n%15 == 0:
		fmt.Println("FizzBuzz")
	case n%3 == 0:
		fmt.Println("Fizz")
	case n%5 == 0:
		fmt.Println("Buzz")
	default:
		fmt.Println(n)
	}
}""",
        "rust": """
for n in 1..=100 {
    match (n % 3, n % 5) {
        (0, 0) => println!("FizzBuzz"),
        (0, _) => println!("Fizz"),
        (_, 0) => println!("Buzz"),
        _ => println!("{n}"),
    }
}""",
        "java": """
for (int n = 1; n <= 100; n++) {
    String word = (n % 3 == 0 ? "Fizz" : "") + (n % 5 == 0 ? "Buzz" : "");
    System.out.println(word.isEmpty() ? String.valueOf(n) : word);
}""",
    },
    "reverse": {
        "python": "def reverse(text: str) -> str:\n    return text[::-1]",
        "javascript": 'const reverse = text => [...text].reverse().join("");',
        "typescript": 'const reverse = (text: string): string => [...text].reverse().join("");',
        "go": """
func reverse(text string) string {
	runes := []rune(text)
	slices.Reverse(runes)
	return string(runes)
}""",
        "rust": "fn reverse(text: &str) -> String {\n    text.chars().rev().collect()\n}",
        "java": """
static String reverse(String text) {
    return new StringBuilder(text).reverse().toString();
}""",
    },
    "factorial": {
        "python": """
def factorial(n: int) -> int:
    return 1 if n <= 1 else n * factorial(n - 1)""",
        "javascript": "const factorial = n => (n <= 1n ? 1n : n * factorial(n - 1n)); // of a BigInt",
        "typescript": """
const factorial = (n: bigint): bigint => (n <= 1n ? 1n : n * factorial(n - 1n));""",
        "go": """
func factorial(n uint64) uint64 {
	if n <= 1 {
		return 1
	}
	return n * factorial(n-1)
}""",
        "rust": "fn factorial(n: u64) -> u64 {\n    (1..=n).product()\n}",
        "java": """
static BigInteger factorial(int n) {
    return n <= 1 ? BigInteger.ONE : BigInteger.valueOf(n).multiply(factorial(n - 1));
}""",
    },
    "prime": {
        "python": """
from math import isqrt


def is_prime(n: int) -> bool:
    return n > 1 and all(n % d for d in range(2, isqrt(n) + 1))""",
        "javascript": """
function isPrime(n) {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return n > 1;
}""",
        "typescript": """
function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return n > 1;
}""",
        "go": """
func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return n > 1
}""",
        "rust": """
fn is_prime(n: u64) -> bool {
    n > 1 && (2..).take_while(|d| d * d <= n).all(|d| n % d != 0)
}""",
        "java": """
static boolean isPrime(int n) {
    return n > 1 && IntStream.rangeClosed(2, (int) Math.sqrt(n)).noneMatch(d -> n % d == 0);
}""",
    },
    "sort": {
        "python": """
def quicksort(items: list[int]) -> list[int]:
    if len(items) <= 1:
        return items
    pivot, *rest = items
    smaller = [item for item in rest if item < pivot]
    others = [item for item in rest if item >= pivot]
    return [*quicksort(smaller), pivot, *quicksort(others)]""",
        "javascript": """
function quicksort([pivot, ...rest]) {
  if (pivot === undefined) return [];
  const smaller = rest.filter(item => item < pivot);
  const others = rest.filter(item => item >= pivot);
  return [...quicksort(smaller), pivot, ...quicksort(others)];
}""",
        "typescript": """
function quicksort(items: number[]): number[] {
  if (items.length <= 1) return items;
  const [pivot, ...rest] = items;
  const smaller = rest.filter(item => item < pivot);
  const others = rest.filter(item => item >= pivot);
  return [...quicksort(smaller), pivot, ...quicksort(others)];
}""",
        "go": "numbers := []int{3, 1, 2}\nslices.Sort(numbers)",
        "rust": "let mut numbers = vec![3, 1, 2];\nnumbers.sort_unstable();",
        "java": "int[] numbers = {3, 1, 2};\nArrays.sort(numbers);",
    },
}
