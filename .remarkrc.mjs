export default { plugins: ["remark-lint-claude-md/preset"] };
