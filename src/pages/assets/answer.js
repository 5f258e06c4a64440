// Takes the page's answer to the application at once, as its button would.
const answer = document.getElementById('answer');
if (answer instanceof HTMLFormElement) answer.submit();
else location.replace(answer.href);
